"""The shapes of real competitions: written from made-up predictions, driven by the sample alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kitbox.runs import Runs
from kitbox.writers import sample as samples
from kitbox.writers.decoding import Reading
from kitbox.writers.joined import Joined
from kitbox.writers.lookup import Lookup
from kitbox.writers.rle import Rle
from kitbox.writers.verify import verify_file

H, W = 3, 4
A = Runs.of(np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]], bool))
B = Runs.of(np.array([[0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 1, 0]], bool))
NONE = Runs.of(np.zeros((H, W), bool))
HEALTHY = {"rust": [0.1, 0.2], "healthy": [0.9, 0.1], "scab": [0.2, 0.7]}
NUMBERS = {"0": [0.9, 0.1], "16": [0.7, 0.2], "3": [0.1, 0.3]}

# competition: the writer, predictions (id and columns), the sample, the file that is wanted
COMPETITIONS: dict[str, tuple[Any, dict[str, Any], str, str]] = {
    "planet": (
        Joined(threshold=0.2),
        {"id": ["t_1", "t_0"], "clear": [0.9, 0.1], "road": [0.5, 0.1], "agriculture": [0, 0.15]},
        "image_name,tags\nt_0,primary clear\nt_1,primary clear\n",
        "image_name,tags\nt_0,agriculture\nt_1,clear road\n",
    ),
    "plant-pathology-2021": (
        Joined(),
        {"id": ["a.jpg", "b.jpg"], **HEALTHY},
        "image,labels\na.jpg,healthy\nb.jpg,healthy\n",
        "image,labels\na.jpg,healthy\nb.jpg,scab\n",
    ),
    "imet": (
        Joined(threshold=0.15),
        {"id": ["a", "b"], **NUMBERS},
        "id,attribute_ids\na,0 1 2\nb,0 1 2\n",
        "id,attribute_ids\na,0 16\nb,16 3\n",
    ),
    "human-protein-atlas": (
        Joined(classes=["nucleoplasm", "golgi", "cytosol"], empty=" "),
        {"id": ["a", "b"], "cytosol": [0.9, 0.8], "golgi": [0.1, 0.6], "nucleoplasm": [0.7, 0]},
        "Id,Predicted\na,0\nb,0\n",
        "Id,Predicted\na,2 0\nb,2 1\n",
    ),
    "humpback-whale": (
        Joined(top=2),
        {"id": ["a.jpg", "b.jpg"], "new_whale": [0.3, 0.6], "w_1": [0.5, 0.2], "w_2": [0.2, 0.2]},
        "Image,Id\na.jpg,new_whale w_1 w_2\nb.jpg,new_whale w_1 w_2\n",
        "Image,Id\na.jpg,w_1 new_whale\nb.jpg,new_whale w_1\n",
    ),
    "hotel-id-2021": (
        Joined(top=5),
        {"id": ["a.jpg"], "9": [0.3], "36363": [0.5], "18807": [0.2]},
        "image,hotel_id\na.jpg,36363 53586 18807 64314 60181\n",
        "image,hotel_id\na.jpg,36363 9 18807\n",
    ),
    "inaturalist-2019": (
        Joined(top=2),
        {"id": ["268243", "268244"], "0": [0.1, 0.5], "7": [0.5, 0.1], "1009": [0.4, 0.4]},
        "id,predicted\n268243,0 1 2 3 4\n268244,0 1 2 3 4\n",
        "id,predicted\n268243,7 1009\n268244,0 1009\n",
    ),
    "tgs-salt": (
        Rle(),
        {"id": ["b", "a"], "salt": [A, NONE]},
        "id,rle_mask\na,1 1\nb,1 1\n",
        "id,rle_mask\na,\nb,1 2 4 1 12 1\n",
    ),
    "hubmap": (
        Rle(),
        {"id": ["b", "a"], "glomerulus": [A, NONE]},
        "id,predicted\na,\nb,\n",
        "id,predicted\na,\nb,1 2 4 1 12 1\n",
    ),
    "carvana": (
        Rle(order="rows"),
        {"id": ["x_01.jpg", "x_02.jpg"], "car": [A, B]},
        "img,rle_mask\nx_01.jpg,1 1\nx_02.jpg,1 1\n",
        "img,rle_mask\nx_01.jpg,1 2 5 1 12 1\nx_02.jpg,7 2 11 1\n",
    ),
    "vesuvius": (
        Rle(order="rows"),
        {"id": ["a", "b"], "ink": [A, B]},
        "Id,Predicted\na,1 1 5 1\nb,1 1 5 1\n",
        "Id,Predicted\na,1 2 5 1 12 1\nb,7 2 11 1\n",
    ),
    "contrails": (
        Rle(),
        {"id": ["1000834164244036115", "1002653297254493116"], "contrail": [NONE, B]},
        "record_id,encoded_pixels\n1000834164244036115,-\n1002653297254493116,-\n",
        "record_id,encoded_pixels\n1000834164244036115,-\n1002653297254493116,8 2 11 1\n",
    ),
    "airbus-ship": (
        Rle(keys="instances"),
        {"id": ["a.jpg", "b.jpg"], "ship": [A, NONE]},
        "ImageId,EncodedPixels\nb.jpg,1 2\na.jpg,1 2\n",
        "ImageId,EncodedPixels\nb.jpg,\na.jpg,1 2 4 1\na.jpg,12 1\n",
    ),
    "dsb-2018": (
        Rle(keys="instances", min_pixels=2),
        {"id": ["a", "b"], "nucleus": [A, B]},
        "ImageId,EncodedPixels\na,\nb,\n",
        "ImageId,EncodedPixels\na,1 2 4 1\nb,8 2 11 1\n",
    ),
    "severstal": (
        Rle(),
        {"id": ["a_1.jpg", "b.jpg"], "one": [A, NONE], "two": [NONE, B]},
        "ImageId_ClassId,EncodedPixels\na_1.jpg_1,1 1\na_1.jpg_2,1 1\nb.jpg_1,1 1\nb.jpg_2,1 1\n",
        "ImageId_ClassId,EncodedPixels\na_1.jpg_1,1 2 4 1 12 1\na_1.jpg_2,\nb.jpg_1,\n"
        "b.jpg_2,8 2 11 1\n",
    ),
    "uw-madison-gi": (
        Rle(),
        {"id": ["a", "b"], "stomach": [A, NONE], "background": [B, B], "small_bowel": [NONE, B]},
        "id,class,predicted\na,small_bowel,\na,stomach,\nb,small_bowel,\nb,stomach,\n",
        "id,class,predicted\na,small_bowel,\na,stomach,1 2 4 1 12 1\nb,small_bowel,8 2 11 1\n"
        "b,stomach,\n",
    ),
    "siim-acr-pneumothorax": (
        Rle(relative=True),
        {"id": ["1.2.276", "1.2.277"], "pneumothorax": [A, NONE]},
        "ImageId,EncodedPixels\n1.2.277,-1\n1.2.276,-1\n",
        "ImageId,EncodedPixels\n1.2.277,-1\n1.2.276,0 2 1 1 7 1\n",
    ),
    "facial-keypoints-detection": (
        Lookup(clip=(0, 96)),
        {"id": ["1", "2"], "left_eye_center_x": [66.5, 99], "left_eye_center_y": [30, -4.25]},
        "RowId,Location\n1,0\n2,0\n3,0\n",
        "RowId,Location\n1,66.5\n2,30\n3,0\n",
    ),
}


@pytest.mark.parametrize("name", COMPETITIONS)
def test_from_the_sample_s_bytes_to_the_file_s(tmp_path: Path, name: str) -> None:
    writer, predicted, asked, wanted = COMPETITIONS[name]
    (tmp_path / "sample.csv").write_text(asked)
    (tmp_path / "IdLookupTable.csv").write_text(
        "RowId,ImageId,FeatureName,Location\n"
        "1,1,left_eye_center_x,\n2,1,left_eye_center_y,\n3,2,left_eye_center_y,\n"
    )
    sample = samples.read(tmp_path / "sample.csv")
    table = pd.DataFrame(predicted)
    assert sorted(writer.ids(sample, tmp_path)) == sorted(table["id"])
    samples.save(writer.table(table, sample, tmp_path), tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_text() == wanted
    reading = Reading((H, W), relative=getattr(writer, "relative", False))
    assert verify_file(tmp_path / "s.csv", tmp_path / "sample.csv", reading).faults == ()
