"""How ids mean pictures."""

import pytest

from kitbox.drafts.finding import find


def test_by_name_in_one_folder_or_many() -> None:
    one = find(["a", "b"], ["train/a.jpg", "train/b.jpg", "test/c.jpg"])
    assert (one.share, one.options) == (1.0, {"folder": "train"})
    paths = [f"train_images/{n % 4}/{n}.jpg" for n in range(8)]
    many = find([str(n) for n in range(8)], paths)
    assert (many.share, many.options) == (1.0, {"folder": "train_images"})
    assert find(["x"], paths).share == 0
    assert find([], paths).share == 0


@pytest.mark.parametrize(
    ("ids", "paths", "match"),
    [
        (
            ["case1_day2_slice_0003", "case11_day20_slice_0004"],
            [
                "train/case1/case1_day2/scans/slice_0003_266_266_1.50_1.50.png",
                "train/case11/case11_day20/scans/slice_0004_310_360_1.50_1.50.png",
            ],
            r"^train/[^/]+/(case\d+_day\d+)/scans/(slice_\d+)_\d+_\d+_\d+\.\d+_\d+\.\d+\.png$",
        ),
        (
            ["0", "7", "10"],
            ["test/000/t-0000.jpg", "test/000/t-0007.jpg", "test/000/t-0010.jpg"],
            r"^test/[^/]+/t\-0*(\d+)\.jpg$",
        ),
        (
            ["aa-1", "bb-2"],
            [f"train/{one}_{color}.png" for one in ("aa-1", "bb-2") for color in ("blue", "red")],
            r"^train/([A-Za-z0-9.-]+)_red\.png$",
        ),
        (
            ["xa", "yb"],
            [f"test/{one}/volume/{n:02}.tif" for one in ("xa", "yb") for n in range(5)],
            r"^test/([A-Za-z0-9.-]+)/volume/02\.tif$",
        ),
    ],
)
def test_by_a_pattern_of_the_path(ids: list[str], paths: list[str], match: str) -> None:
    found = find(ids, paths)
    assert found.share == 1.0
    assert found.options == {"match": match}
    assert any(ids[0] in why for why in found.why)
