"""Data sets that fast.ai's course knows by name: where they are and how to know them."""

from __future__ import annotations

from dataclasses import dataclass

_S3 = "https://s3.amazonaws.com/fast-ai-"


@dataclass(frozen=True)
class Known:
    """A data set on the network.

    Sizes and sums are those that fastai publishes in `fastai/data/checks.txt`.

    Attributes:
        address: of the archive.
        size: of the archive, bytes.
        head_md5: MD5 of the archive's first MiB, 32 hex digits.
    """

    address: str
    size: int
    head_md5: str


def _at(place: str, size: int, head_md5: str) -> Known:
    return Known(f"{_S3}{place}.tgz", size, head_md5)


KNOWN: dict[str, Known] = {
    "BIWI_HEAD_POSE": _at(
        "imagelocal/biwi_head_pose", 452_316_199, "00f4ccf66e8cba184bc292fdc08fb237"
    ),
    "BIWI_SAMPLE": _at("sample/biwi_sample", 593_774, "9179f4c1435f4b291f0d5b072d60c2c9"),
    "CALTECH_101": _at("imageclas/caltech_101", 131_740_031, "d673425306e98ee4619fcdeef8a0e876"),
    "CAMVID": _at("imagelocal/camvid", 598_913_237, "648371e4f3a833682afb39b08a3ce2aa"),
    "CAMVID_TINY": _at("sample/camvid_tiny", 2_314_212, "2cf6daf91b7a2083ecfa3e9968e9d915"),
    "CARS": _at("imageclas/stanford-cars", 1_957_803_273, "9045d6673c9ced0889f41816f6bf2f9f"),
    "CIFAR": _at("sample/cifar10", 168_168_549, "a5f8c31371b63a406b23368042812d3c"),
    "CIFAR_100": _at("imageclas/cifar100", 169_168_619, "e5e65dcb54b9d3913f7b8a9ad6607e62"),
    "CUB_200_2011": _at(
        "imageclas/CUB_200_2011", 1_150_585_339, "d2acaa99439dff0483c7bbac1bfe2a92"
    ),
    "DOGS": _at("sample/dogscats", 839_285_364, "3e483c8d6ef2175e9d395a6027eb92b7"),
    "FLOWERS": _at("imageclas/oxford-102-flowers", 345_236_087, "5666e01c1311b4c67fcf20d2b3850a88"),
    "FOOD": _at("imageclas/food-101", 5_686_607_260, "1a540ebf1fb40b2bf3f2294234ba7907"),
    "IMAGENETTE": _at("imageclas/imagenette2", 1_557_161_267, "2c774ecb40005b35d7937d50f5d42336"),
    "IMAGENETTE_160": _at(
        "imageclas/imagenette2-160", 99_003_388, "c475f8f7617a200ba35b9facc48443c3"
    ),
    "IMAGENETTE_320": _at(
        "imageclas/imagenette2-320", 341_663_724, "1f1f74f133caff120e575856659b87a2"
    ),
    "IMAGEWOOF": _at("imageclas/imagewoof2", 1_343_715_595, "2cc1c1e36e20cb6fd24ffb978edcb487"),
    "IMAGEWOOF_160": _at(
        "imageclas/imagewoof2-160", 92_612_825, "3559b194123981a540b87132dbda412f"
    ),
    "IMAGEWOOF_320": _at(
        "imageclas/imagewoof2-320", 328_387_740, "7a1fd92672a559a85de76e4810a20c21"
    ),
    "MNIST": _at("imageclas/mnist_png", 15_683_414, "03639f83c4e3d19e0a3a53a8a997c487"),
    "MNIST_SAMPLE": _at("sample/mnist_sample", 3_214_948, "2dbc7ec6f9259b583af0072c55816a88"),
    "MNIST_TINY": _at("sample/mnist_tiny", 342_207, "56143e8f24db90d925d82a5a74141875"),
    "PASCAL_2007": _at("imagelocal/pascal_2007", 1_637_796_771, "433b4706eb7c42bd74e7f784e3fdf244"),
    "PETS": _at("imageclas/oxford-iiit-pet", 811_706_944, "e4db5c768afd933bb91f5f594d7417a4"),
    "PLANET_SAMPLE": _at("sample/planet_sample", 15_523_994, "8bfb174b3162f07fbde09b54555bdb00"),
    "PLANET_TINY": _at("sample/planet_tiny", 997_569, "490873c5683454d4b2611fb1f00a68a9"),
}
