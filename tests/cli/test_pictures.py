"""From pictures to what a model takes: size, layout, colour, range; or the user is asked."""

import numpy as np
import pytest
from PIL import Image
from users import write_picture

import polyattr
from polyattr.backend import BoundModel
from polyattr.cli.exits import InputFileError, WrongUseError
from polyattr.cli.inputs.pictures import open_picture
from polyattr.cli.inputs.pixels import Pixels, for_model, read_size, scale, to_arrays
from polyattr.cli.inputs.prepared import prepared
from polyattr.cli.inputs.reading import read_samples
from polyattr.cli.inputs.samples import Reading, Samples

RAW = {"layout": "HWC", "scale": "raw"}


def gradient(height, width):
    """A picture whose red grows to the right and whose green grows downwards."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)
    pixels[..., 1] = np.linspace(0, 255, height)[:, None]
    return pixels


def test_pixels_are_as_they_are(tmp_path):
    pixels = write_picture(tmp_path / "a.png")
    np.testing.assert_array_equal(open_picture(tmp_path / "a.png", Reading()), pixels)
    (found,) = to_arrays([pixels], Pixels(**RAW))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, pixels)
    (first,) = to_arrays([pixels], Pixels(layout="CHW", scale="raw"))
    np.testing.assert_array_equal(first, pixels.transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("how", "black", "white"),
    [("unit", 0.0, 1.0), ("signed", -1.0, 1.0), ("raw", 0.0, 255.0), ("127,128", -127 / 128, 1.0)],
)
def test_ranges(how, black, white):
    pixels = np.array([0, 255], np.float32).reshape(1, 1, 2, 1)
    assert scale(pixels, how).ravel().tolist() == pytest.approx([black, white])


def test_the_range_of_imagenet():
    found = scale(np.full((1, 1, 1, 3), 127.5, np.float32), "imagenet")
    expected = (0.5 - np.array([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-5)
    with pytest.raises(WrongUseError, match="three channels"):
        scale(np.zeros((1, 1, 1, 1), np.float32), "imagenet")


@pytest.mark.parametrize("how", ["", "half", "1", "1,0", "a,b", "1,2,3", "nan,1"])
def test_no_range(how):
    with pytest.raises(WrongUseError, match="--scale"):
        scale(np.zeros((1, 1, 1, 3), np.float32), how)


def test_the_middle_is_cut_out_and_the_shape_kept():
    (found,) = to_arrays([gradient(100, 200)], Pixels(size=(50, 50), **RAW))
    assert found.shape == (50, 50, 3)
    # Half the width is left, from a quarter to three quarters of the range; all of the height.
    assert found[:, 0, 0].mean() == pytest.approx(64, abs=3)
    assert found[:, -1, 0].mean() == pytest.approx(191, abs=3)
    assert found[0, :, 1].mean() < 5
    assert found[-1, :, 1].mean() > 250
    (whole,) = to_arrays([gradient(100, 200)], Pixels(size=(50, 50), stretch=True, **RAW))
    assert whole[:, 0, 0].mean() < 5
    assert whole[:, -1, 0].mean() > 250


def test_one_channel(tmp_path):
    red = np.zeros((2, 3, 3), np.uint8)
    red[..., 0] = 255
    (flat,) = to_arrays([red], Pixels(layout="HW", scale="raw"))
    assert flat.shape == (2, 3)
    np.testing.assert_allclose(flat, 76)  # 0.299 of 255, as ITU-R 601 has it
    (one,) = to_arrays([red], Pixels(layout="CHW", gray=True, scale="raw"))
    assert one.shape == (1, 2, 3)


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ((None, 224, 200, 3), Pixels((224, 200), "HWC", False)),
        ((None, 3, 224, 200), Pixels((224, 200), "CHW", False)),
        ((8, 1, 28, 28), Pixels((28, 28), "CHW", True)),
        ((None, None, None, 3), Pixels(None, "HWC", False)),
        ((None, 28, 28), Pixels((28, 28), "HW", True)),
        ((None, 3, 3, 3), Pixels()),  # either
        ((None, 12, 12, 12), Pixels()),
        (None, Pixels()),
    ],
)
def test_what_a_model_says_of_its_pictures(shape, found):
    assert for_model(Pixels(), shape) == found


def test_what_the_user_says_stays():
    asked = Pixels(size=(32, 32), layout="CHW", gray=True, scale="unit")
    assert for_model(asked, (None, 224, 224, 3)) == asked
    assert for_model(Pixels(layout="HWC"), (None, 3, 5, 3)).size == (3, 5)


def test_a_model_of_no_pictures():
    with pytest.raises(WrongUseError, match=r"takes \(N, 784\), which is no picture"):
        for_model(Pixels(), (None, 784))


def test_what_is_not_known_is_asked_for():
    pictures = [gradient(4, 4), gradient(5, 4)]
    with pytest.raises(WrongUseError, match="--layout CHW"):
        to_arrays(pictures, Pixels())
    with pytest.raises(WrongUseError, match="--scale unit"):
        to_arrays(pictures, Pixels(layout="HWC"))
    with pytest.raises(WrongUseError, match="2 sizes; pass --size"):
        to_arrays(pictures, Pixels(**RAW))


@pytest.mark.parametrize(
    ("text", "size"), [("224", (224, 224)), ("24X32", (24, 32)), (None, None), ("1x2", (1, 2))]
)
def test_sizes(text, size):
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1", "1x2x3", "x", "2.5", "99999", "²"])
def test_no_sizes(text):
    with pytest.raises(WrongUseError, match="is no size"):
        read_size(text)


def test_a_folder_by_name(tmp_path):
    for name in ("b.png", "a.PNG", ".hidden.png"):
        write_picture(tmp_path / name)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "folder.png").mkdir()
    found = read_samples(tmp_path, Reading())
    assert found.rows == ("a.PNG", "b.png")
    assert len(found) == 2


def test_a_picture_is_turned_as_its_camera_says(tmp_path):
    image = Image.fromarray(gradient(4, 8))
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned clockwise
    image.save(tmp_path / "a.png", exif=exif)
    assert open_picture(tmp_path / "a.png", Reading()).shape == (8, 4, 3)


@pytest.mark.parametrize(
    ("mode", "said"), [("I;16", "more than 8 bits"), ("F", "more than 8 bits")]
)
def test_deep_pixels_are_refused(tmp_path, mode, said):
    Image.new(mode, (3, 3)).save(tmp_path / "a.tiff")
    with pytest.raises(InputFileError, match=said):
        open_picture(tmp_path / "a.tiff", Reading())


def test_transparent_pixels_are_refused_and_opaque_ones_are_not(tmp_path):
    Image.new("RGBA", (3, 3), (9, 9, 9, 254)).save(tmp_path / "a.png")
    with pytest.raises(InputFileError, match="transparent"):
        open_picture(tmp_path / "a.png", Reading())
    Image.new("RGBA", (3, 3), (9, 9, 9, 255)).save(tmp_path / "a.png")
    assert (open_picture(tmp_path / "a.png", Reading()) == 9).all()


def test_a_function_of_the_user_gets_pictures_of_all_sizes():
    seen = []

    def mean(pictures):
        seen.append(pictures)
        return np.array([[picture.mean()] for picture in pictures])

    several = Samples([gradient(4, 4), gradient(6, 2)], pictures=True)
    found = prepared(several, BoundModel(abs), Pixels(), mean)
    assert isinstance(seen[0], list)
    assert found.shape == (2, 1)
    assert found.dtype == np.float32
    prepared(Samples([gradient(4, 4)] * 2, pictures=True), BoundModel(abs), Pixels(), mean)
    assert seen[1].shape == (2, 4, 4, 3)
    assert seen[1].dtype == np.uint8
    prepared(several, BoundModel(abs), Pixels(size=(2, 2), layout="CHW", scale="unit"), mean)
    assert seen[2].shape == (2, 3, 2, 2)


def test_whole_numbers_may_be_indices_and_stay():
    tokens = np.array([[1, 2]])
    assert prepared(Samples(tokens), BoundModel(abs), Pixels(), None) is tokens


def test_pictures_are_explained(run, folder, lab, backend_name):
    """A sum of one channel: that channel's pixels, and nothing else."""
    (folder / "photos").mkdir()
    kept = [write_picture(folder / "photos" / f"{name}.png", seed=i) for i, name in enumerate("ab")]
    body = {
        "torch": "import torch\ndef model(x): return 2 * x[:, 1].sum((1, 2))",
        "jax": "import jax.numpy\ndef model(x): return 2 * jax.numpy.sum(x[:, 1], (1, 2))",
        "tensorflow": "import tensorflow as tf\n"
        "def model(x): return 2 * tf.reduce_sum(x[:, 1], (1, 2))",
    }
    (folder / "green.py").write_text(body[backend_name])
    asked = ("explain", "green:model", "photos", "--scale", "unit", "--backend", backend_name)
    run(*asked).refused(2, "the model does not say what pictures it takes", "--layout CHW")
    told = run(*asked, "--layout", "chw", "--json", "--out", "a.npz", "--out", "a.png").json
    assert [sample["name"] for sample in told["samples"]] == ["a.png", "b.png"]
    for sample, pixels in zip(told["samples"], kept, strict=True):
        assert sample["score"] == pytest.approx(2 * pixels[..., 1].sum() / 255, rel=1e-5)
    loaded = polyattr.load(folder / "a.npz")
    expected = np.zeros((2, 3, 4, 6))
    expected[:, 1] = [pixels[..., 1] / 127.5 for pixels in kept]
    np.testing.assert_allclose(loaded.values, expected, rtol=1e-4, atol=1e-6)
