#!/usr/bin/env python3
"""Measures models between the pixels and at the borders of their pieces.

    python3 benches/between_pixels.py enlarge IMAGE... [--fit OPTION ...]
    python3 benches/between_pixels.py seams IMAGE... [--fit OPTION ...]
    python3 benches/between_pixels.py shift IMAGE... [--fit OPTION ...]

`enlarge` reduces each image to half its size by Lanczos resampling, fits it, decodes the model at
twice the size, and compares the result with the original, and likewise bicubic and Lanczos
enlargement by Pillow: PSNR in dB, peak 255.
`seams` fits each image and divides the root mean square difference between neighboring pixels
across borders of pieces by that between neighbors inside, for the model and for the image itself,
at decode scales 1, 2 and 4.
`shift` estimates, by least squares over the gradient, by how many pixels the model at twice the
size is displaced relative to Pillow's bicubic enlargement.

Everything after --fit is passed to `vi3nr fit`. The script needs numpy, Pillow and
`cargo build --release`.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
from PIL import Image

VI3NR = pathlib.Path(__file__).resolve().parent.parent / "target/release/vi3nr"


def vi3nr(*words):
    return subprocess.run([VI3NR, *map(str, words)], check=True, capture_output=True, text=True).stdout


def fit(source, folder, options):
    run = folder / "run"
    report = json.loads(vi3nr("fit", source, "--out", run, "--overwrite", "--json", *options))
    return run, report


def decoded(run, folder, scale):
    path = folder / "decoded.png"
    vi3nr("decode", run, "--out", path, "--scale", scale)
    return array(Image.open(path))


def array(image):
    return numpy.asarray(image.convert("RGB"), dtype=float)


def psnr(a, b):
    return 10 * numpy.log10(255**2 / numpy.mean((a - b) ** 2))


def halved(source, folder):
    whole = Image.open(source).convert("RGB")
    whole = whole.crop((0, 0, whole.width // 2 * 2, whole.height // 2 * 2))
    half = whole.resize((whole.width // 2, whole.height // 2), Image.LANCZOS)
    path = folder / "half.png"
    half.save(path)
    return whole, half, path


def enlarge(source, folder, options):
    whole, half, path = halved(source, folder)
    run, report = fit(path, folder, options)
    ours = psnr(decoded(run, folder, 2), array(whole))
    bicubic, lanczos = (
        psnr(array(half.resize(whole.size, method)), array(whole)) for method in (Image.BICUBIC, Image.LANCZOS)
    )
    return {
        "fit": report["psnr"],
        "enlarged": ours,
        "bicubic": bicubic,
        "lanczos": lanczos,
        "over_bicubic": ours - bicubic,
        "gradient_equivalents": report["gradient_equivalents"],
        "parameters": report["parameters"],
    }


def jumps(values, borders, scale):
    """The root mean square jump across vertical borders over that between neighbors away from them."""
    steps = (numpy.diff(values, axis=1) ** 2).mean(axis=(0, 2))
    across = numpy.zeros(len(steps), bool)
    near = numpy.zeros(len(steps), bool)
    for border in borders:
        across[border * scale - 1] = True
        near[max(0, (border - 4) * scale) : (border + 4) * scale] = True
    return numpy.sqrt(steps[across].mean() / steps[~near].mean())


def seams(source, folder, options):
    run, report = fit(source, folder, options)
    truth = array(Image.open(source))
    across, down = report["pieces"]["counts"]
    result = {"fit": report["psnr"]}
    for scale in (1, 2, 4):
        values = truth if scale == 1 else array(
            Image.open(source).convert("RGB").resize((truth.shape[1] * scale, truth.shape[0] * scale), Image.BICUBIC)
        )
        ours = decoded(run, folder, scale)
        ratios = []
        for own, other, count in ((ours, values, across), (ours.swapaxes(0, 1), values.swapaxes(0, 1), down)):
            borders = [own.shape[1] // scale * i // count for i in range(1, count)]
            ratios.append(jumps(own, borders, scale) / jumps(other, borders, scale))
        result[f"scale_{scale}"] = float(numpy.mean(ratios))
    return result


def shift(source, folder, options):
    whole, half, path = halved(source, folder)
    run, report = fit(path, folder, options)
    ours = decoded(run, folder, 2)[8:-8, 8:-8].mean(axis=2)
    other = array(half.resize(whole.size, Image.BICUBIC))[8:-8, 8:-8].mean(axis=2)
    dy, dx = numpy.gradient(other)
    system = numpy.stack([dx.ravel(), dy.ravel()], axis=1)
    moved, *_ = numpy.linalg.lstsq(system, (other - ours).ravel(), rcond=None)
    return {"fit": report["psnr"], "x": float(moved[0]), "y": float(moved[1])}


def main():
    words = sys.argv[1:]
    options = words[words.index("--fit") + 1 :] if "--fit" in words else []
    words = words[: words.index("--fit")] if "--fit" in words else words
    measures = {"enlarge": enlarge, "seams": seams, "shift": shift}
    if len(words) < 2 or words[0] not in measures:
        sys.exit(__doc__)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for source in words[1:]:
            rows.append(measures[words[0]](pathlib.Path(source), pathlib.Path(folder), options))
            print(pathlib.Path(source).name, *(f"{name} {value:.3f}" for name, value in rows[-1].items()), flush=True)
    print("median", *(f"{name} {numpy.median([row[name] for row in rows]):.3f}" for name in rows[0]))


if __name__ == "__main__":
    main()
