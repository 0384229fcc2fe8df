from __future__ import annotations

import pytest
from sources.web.serving import HTML, picture

from kitbox.data.faults import Fault, Picture, find


@pytest.fixture
def put(tmp_path):
    def put(**files):
        made = []
        for name, (content, part, *label) in files.items():
            (tmp_path / name).write_bytes(content)
            made.append(Picture(name, part, *label))
        return made

    return put


def faults(folder, pictures, **more):
    return {(fault.image, fault.reason, fault.of) for fault in find(folder, pictures, **more)}


def test_broken_and_doubled_pictures(tmp_path, put):
    pictures = put(
        a=(picture(1), "train"),
        b=(picture(1), "train"),
        c=(picture(1, 60, 80), "train"),
        d=(picture(2), "train"),
        e=(HTML, "train"),
        f=(b"", "train"),
    )
    pictures.append(Picture("gone", "train"))
    steps = []
    found = find(tmp_path, pictures, step=steps.append)
    assert found == sorted(found, key=lambda fault: fault.image)
    assert [(f.image, f.reason, f.of) for f in found] == [
        ("b", "duplicate", "a"),
        ("c", "near-duplicate", "a"),
        ("e", "broken", ""),
        ("f", "broken", ""),
        ("gone", "broken", ""),
    ]
    details = {f.image: f.detail for f in found}
    assert "web page" in details["e"]
    assert "empty" in details["f"]
    assert "missing" in details["gone"]
    assert len(steps) == 7
    assert ("c", "near-duplicate", "a") not in faults(tmp_path, pictures, near=False)
    assert ("b", "duplicate", "a") in faults(tmp_path, pictures, near=False)


def test_what_measures_stays_and_what_trains_goes(tmp_path, put):
    pictures = put(
        a=(picture(1), "train"),
        b=(picture(1, 60, 80), "valid"),
        c=(picture(2), "train"),
        d=(picture(2), "test"),
        e=(picture(3), "valid"),
        f=(picture(3), "test"),
        g=(picture(4), "train"),
    )
    expected = {
        ("a", "cross-split", "b"),
        ("c", "cross-split", "d"),
        ("e", "cross-split", "f"),
    }
    assert faults(tmp_path, pictures) == expected
    assert faults(tmp_path, pictures[::-1]) == expected
    assert Fault("c", "cross-split", "d", "duplicate; in train and test") in find(
        tmp_path, pictures
    )


def test_a_copy_of_any_test_picture_is_found_though_that_is_a_copy_itself(tmp_path, put):
    # y is near x; t is near y, and less near x.
    import io

    from PIL import Image, ImageEnhance

    image = Image.open(io.BytesIO(picture(7, side=200)))

    def brighter(factor):
        file = io.BytesIO()
        ImageEnhance.Brightness(image).enhance(factor).save(file, "PNG")
        return file.getvalue()

    pictures = put(
        x=(brighter(1.0), "test"), y=(brighter(0.88), "test"), t=(brighter(0.78), "train")
    )
    assert faults(tmp_path, [pictures[0], pictures[2]]) == set()
    assert faults(tmp_path, pictures) == {
        ("y", "near-duplicate", "x"),
        ("t", "cross-split", "y"),
    }


def test_labels_that_contradict_are_told(tmp_path, put):
    pictures = put(
        a=(picture(1), "train", "cat"),
        b=(picture(1), "train", "dog"),
        c=(picture(1), "train", "cat"),
    )
    assert {f.image: f.detail for f in find(tmp_path, pictures)} == {
        "b": "labels differ: dog and cat",
        "c": "",
    }


def test_after_leaving_them_out_nothing_crosses(tmp_path, put):
    files = {}
    for n in range(60):
        content = picture(n % 20, 60 + n % 3 * 15, 80 + n % 2 * 16)
        files[f"p{n}"] = (content, ("train", "valid", "test", "train")[n % 4])
    pictures = put(**files)
    out = {fault.image for fault in find(tmp_path, pictures)}
    kept = [p for p in pictures if p.image not in out or p.part == "test"]
    left = [f for f in find(tmp_path, kept) if f.reason == "cross-split" or f.image not in out]
    assert left == []
    assert {p.part for p in kept} == {"train", "valid", "test"} or out
