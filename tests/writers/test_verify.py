"""The check of a submission file, for every shape in the table of competitions."""

import contextlib
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitbox.errors import KitboxError, SubmissionError
from kitbox.writers.decoding import Reading
from kitbox.writers.verify import verify, verify_file

HEAD_SHAPES = {
    # competition: header, sample rows, accepted rows (in any order), a word of what it is
    "dog-breed": ("id,pug,akita", "a,0.5,0.5 b,0.5,0.5", "b,0.25,0.75 a,1,0", "2 values a row"),
    "plant-2020": ("image_id,h,m", "T_0,0.25,0.25 T_1,.5,.5", "T_0,0,1 T_1,1e-7,.9", "2 values"),
    "ranzcr": ("StudyInstanceUID,ETT - Abnormal,NGT", "1.2,0,0", "1.2,0.5,1", "2 values a row"),
    "histopathologic": ("id,label", "a,0 b,0", "a,0.25 b,1", "one value a row, numbers"),
    "dogs-vs-cats": ("id,label", "1,0.5 2,0.5", "1,1 2,0.001", "numbers"),
    "cactus": ("id,has_cactus", "a.jpg,0.5 b.jpg,0.5", "a.jpg,1 b.jpg,0", "whole numbers"),
    "aptos": ("id_code,diagnosis", "a,0 b,0", "a,4 b,0", "whole numbers"),
    "cassava": ("image_id,label", "a.jpg,4", "a.jpg,0", "whole numbers"),
    "herbarium": ("Id,Predicted", "0,42 1,42", "0,7 1,15504", "whole numbers"),
    "plant-seedlings": ("file,species", "a.png,Sugar_beet b,Maize", "a.png,Maize b,Maize", "text"),
    "planet": ("image_name,tags", "t_0,primary~clear", "t_0,primary~road~water", "words joined"),
    "plant-2021": ("image,labels", "a.jpg,healthy b,healthy", "a.jpg,scab~rust b,rust", "words"),
    "imet": ("id,attribute_ids", "a,0~1~2 b,0~1~2", "a,7 b,12~3", "words joined"),
    "protein": ("Id,Predicted", "a,0 b,0", "a,16~0 b,25", "words joined"),
    "humpback": ("Image,Id", "a.jpg,new_whale~w_1~w_2", "a.jpg,w_9~w_8~w_7~w_6~w_5", "words"),
    "hotel-id": ("image,hotel_id", "a.jpg,36363~53586~18807", "a.jpg,1~2~3~4~5", "words joined"),
    "inaturalist": ("id,predicted", "1,0~1~2", "1,9~8~7~6~5", "words joined"),
    "tgs-salt": (
        "id,rle_mask",
        "a,1~1 b,1~1",
        "a, b,3~4~9~2",
        "a row per picture; 2 rows, 1 empty",
    ),
    "hubmap": ("id,predicted", "a, b,", "a, b,3~4~9~2", "run lengths, a row per picture"),
    "carvana": ("img,rle_mask", "a_01.jpg,1~1", "a_01.jpg,9~2", "run lengths, a row per picture"),
    "vesuvius": ("Id,Predicted", "a,1~1~5~1 b,1~1~5~1", "a, b,1~9", "run lengths"),
    "contrails": ("record_id,encoded_pixels", "1,- 2,-", "1,- 2,5~5", "run lengths"),
    "airbus": ("ImageId,EncodedPixels", "a,1~2 b,1~2", "a,1~2 a,4~2 b,", "a row per instance"),
    "dsb-2018": ("ImageId,EncodedPixels", "a, b,", "a,1~2 b,3~1 b,5~1", "a row per instance"),
    "severstal": (
        "ImageId_ClassId,EncodedPixels",
        "a.jpg_1,1~1 a.jpg_2,1~1",
        "a.jpg_1, a.jpg_2,5~1",
        "a row per picture and class; 2 rows, 1 empty",
    ),
    "uw-madison": (
        "id,class,predicted",
        "a,x, a,y, b,x, b,y,",
        "b,y, a,x,5~1 a,y, b,x,1~9",
        "a row per picture and class; 4 rows, 2 empty",
    ),
    "facial-keypoints": ("RowId,Location", "1,0.0 2,0.0", "1,66.5 2,-3", "numbers"),
    "pawpularity": ("Id,Pawpularity", "a,65.6 b,70.1", "a,100 b,1.5", "numbers"),
    "osic": (
        "Patient_Week,FVC,Confidence",
        "ID_-12,2000,100 ID_-11,2000,100",
        "ID_-12,2500.5,70 ID_-11,2400,71",
        "2 values a row",
    ),
}


def lay(folder: Path, header: str, rows: str, name: str) -> Path:
    lines = [row.replace("~", " ") for row in rows.split(" ")]
    (folder / name).write_text("\n".join([header, *lines]) + "\n")
    return folder / name


def faults(folder: Path, header: str, asked: str, rows: str, reading: Reading | None = None) -> str:
    sample = lay(folder, header, asked, "sample.csv")
    verdict = verify_file(lay(folder, header, rows, "s.csv"), sample, reading)
    for fault in verdict.faults:
        assert fault[0].isupper() or fault[0].isdigit()
        assert fault.endswith(".")
        assert "\n" not in fault
    return "\n".join(verdict.faults)


@pytest.mark.parametrize("shape", HEAD_SHAPES)
def test_every_shape_is_accepted_and_named(tmp_path: Path, shape: str) -> None:
    header, asked, rows, what = HEAD_SHAPES[shape]
    assert faults(tmp_path, header, asked, rows) == ""
    verdict = verify_file(tmp_path / "s.csv", tmp_path / "sample.csv", Reading((10, 10)))
    assert verdict.faults == ()
    assert what in verdict.what
    itself = verify_file(tmp_path / "sample.csv", tmp_path / "sample.csv")
    assert itself.faults == ()


@pytest.mark.parametrize("shape", HEAD_SHAPES)
def test_every_shape_is_refused_with_rows_or_columns_that_differ(
    tmp_path: Path, shape: str
) -> None:
    header, asked, rows, _ = HEAD_SHAPES[shape]
    sample = lay(tmp_path, header, asked, "sample.csv")
    table = pd.read_csv(lay(tmp_path, header, rows, "s.csv"), dtype=str, keep_default_na=False)

    def found(changed: pd.DataFrame) -> str:
        changed.to_csv(tmp_path / "s.csv", index=False)
        return "\n".join(verify_file(tmp_path / "s.csv", sample).faults)

    assert "Columns are in the order" in found(table[table.columns[::-1]]).replace("The c", "C")
    last = table.columns[-1]
    assert re.search(r"column of the sample missing", found(table.rename(columns={last: "zz"})))
    more = pd.concat([table, table.iloc[-1:].assign(**{table.columns[0]: "zz"})])
    assert re.search("1 id not in the sample", found(more))
    one = table[table.iloc[:, 0] != table.iloc[0, 0]]
    if len(one):
        assert "of the sample missing" in found(one)
    # What a name may be, and what a sample without values says nothing about, is free.
    free = ("plant-seedlings", "plant-2021", "hubmap")
    assert bool(found(table.assign(**{last: "cat cat 1.5"}))) == (shape not in free)


@pytest.mark.parametrize(
    ("header", "asked", "rows", "said"),
    [
        ("id,p", "a,0.5 b,0.5", "a,1.5 b,-2", r"2 numbers outside 0 to 1 \(1\.5\)"),
        ("id,p,q", "a,0.5,0.5", "a,3,0.5", r"Column 'p' has 1 number outside"),
        ("id,p", "a,0.5 b,0.5", "a,nan b,inf", "holds text"),
        ("id,p", "a,0.5 b,0.5", "a, b,0.1", "has 1 empty"),
        ("id,p", "a,0.5 b,0.5", "a,0.5 a,0.5 b,0.1", r"1 id more than once \(a\)"),
        ("id,p", "a,0.5", "a.jpg,0.5", "would agree without their file endings"),
        ("id,n", "a,3 b,7", "a,1.5 b,2", "where the sample has whole numbers"),
        (
            "id,tags",
            "a,x~y b,z",
            "a,x~x b,",
            r"(?s)has 1 empty.*1 cell that names a label twice \(a\)",
        ),
        ("id,tags", "a,1~2", "a,cat~2", "holds cat where the sample has numbers"),
        ("id,tags", "a,x~y", "a,1~2", r"holds numbers \(1, 2\) where the sample has names"),
        ("id,species", "a,Maize b,Maize", "a,None b,Maize", "'None' in 1 row .*missing value"),
        ("id,rle_mask", "a,1~1 b,1~1", "a,1~1~1~1 b,3", r"2 cells.*a: runs overlap.*b: 1 numbers"),
        ("id,rle_mask", "a,1~1", "a,99~3", "a: the run of 3 from 99 leaves the picture of 10x10"),
        ("ImageId,EncodedPixels", "a,1~1", "a,1~5 a,3~1", "overlap in 1 id"),
        ("ImageId,EncodedPixels", "a,1~1", "a,1~5 a,", "empty one among them"),
        ("record_id,encoded_pixels", "1,-", "1,", "1 blank cell"),
        ("id,class,predicted", "a,x, a,y,", "a,x,cat a,y,", "a, x: 'cat' is no whole number"),
        ("id,class,predicted", "a,x, a,y,", "a,x,1~1", r"1 id of the sample missing \(a, y\)"),
        ("id,class,predicted", "a,x, a,y,", "a,x,1~1 a,x, a,y,", r"1 id more than once \(a, x\)"),
        ("ImageId,EncodedPixels", "a,-1 b,-1", "a,20~3~2~3 b,-1", "relative"),
    ],
)
def test_faults_are_told(tmp_path: Path, header: str, asked: str, rows: str, said: str) -> None:
    assert re.search(said, faults(tmp_path, header, asked, rows, Reading((10, 10))))


def test_relative_offsets(tmp_path: Path) -> None:
    reading = Reading((10, 10), relative=True)
    args = (tmp_path, "ImageId,EncodedPixels", "a,-1 b,-1", "a,20~3~2~3 b,-1")
    assert faults(*args, reading) == ""


def test_all_faults_at_once(tmp_path: Path) -> None:
    told = faults(tmp_path, "id,p,rle_mask", "a,0.5,1~1 b,0.5,1~1", "a,cat,1~0 z,,1").splitlines()
    assert len(told) == 4
    assert told[0].startswith("1 id of the sample missing (b)")


def test_a_sample_with_a_header_only(tmp_path: Path) -> None:
    (tmp_path / "sample.csv").write_text("id,rle_mask\n")
    good = lay(tmp_path, "id,rle_mask", "a,1~1 b,", "s.csv")
    assert verify_file(good, tmp_path / "sample.csv").faults == ()
    bad = lay(tmp_path, "id,rle_mask", "a,1~1 b,4~4~4", "s.csv")
    assert "no pairs" in verify_file(bad, tmp_path / "sample.csv").faults[0]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    sample = lay(tmp_path, "id,p", "a,0.5", "sample.csv")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "lines.csv").write_text("id;p\na;0.5\n")
    for name, said in (
        ("empty.csv", "The submission .* is empty"),
        ("none.csv", "The submission .*none.csv is not there.*sample.csv"),
        (".", "The submission .* is a folder"),
        ("lines.csv", "one column only"),
    ):
        with pytest.raises(SubmissionError, match=said):
            verify_file(tmp_path / name, sample)
    with pytest.raises(SubmissionError, match=r"The sample submission .* is empty"):
        verify_file(sample, tmp_path / "empty.csv")


@settings(max_examples=200, deadline=None)
@given(
    header=st.sampled_from(
        [b"", b"id,p\n", b"id,rle_mask\n", b"id,class,predicted\n", b"id,tags\n"]
    ),
    data=st.binary(max_size=60)
    | st.text(st.sampled_from("ab,\n 10.-\"'\0x"), max_size=40).map(str.encode),
    asked=st.sampled_from(
        [
            "id,p\na,0.5\n",
            "id,rle_mask\na,1 1\n",
            "id,class,predicted\na,x,\na,y,\n",
            "id,tags\na,x y\n",
            "id,p\n",
        ]
    ),
)
def test_any_bytes_get_a_verdict_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, header: bytes, data: bytes, asked: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "sample.csv").write_text(asked)
    (folder / "s.csv").write_bytes(header + data)
    with contextlib.suppress(KitboxError):
        assert verify_file(folder / "s.csv", folder / "sample.csv", Reading((5, 5))).what


def frame(header: str, *lines: str) -> pd.DataFrame:
    rows = [line.split(",") for line in lines]
    return pd.DataFrame(rows, columns=header.split(","), dtype=str)


def test_a_joined_key_names_one_row() -> None:
    sample = frame("ImageId_ClassId,EncodedPixels", "1_1,1 1", "1_2,1 1")
    found = verify(frame("ImageId_ClassId,EncodedPixels", "1_1,5 3", "1_1,60 3", "1_2,"), sample)
    assert found.faults == ("1 id more than once (1_1).",)


def test_several_rows_of_an_id_are_noted() -> None:
    sample = frame("id,rle_mask", "a,1 1", "b,1 1")
    size = Reading((9, 9))
    found = verify(frame("id,rle_mask", "a,1 2", "a,4 2", "b,"), sample, size)
    assert found.faults == ()
    assert found.notes == ("1 id has several rows (a): right only where a row is an instance.",)
    assert verify(frame("id,rle_mask", "a,1 2", "b,"), sample, size).notes == ()


def test_notes_on_words_and_on_sizes() -> None:
    sample = frame("id,tags", "a,sky sea", "b,road")
    assert verify(frame("id,tags", "a,sky", "b,road sea"), sample).notes == ()
    (note,) = verify(frame("id,tags", "a,sky skyy", "b,road"), sample).notes
    assert note == (
        "1 word of the submission is none of the words in the sample: 'skyy' (near: 'sky')."
    )
    sample = frame("id,rle", "a,1 1", "b,")
    (note,) = verify(frame("id,rle", "a,1 3", "b,"), sample).notes
    assert "give --height and --width" in note
    assert verify(frame("id,rle", "a,1 3", "b,"), sample, Reading((2, 2))).notes == ()
