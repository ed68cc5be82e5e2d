#!/usr/bin/env python3
"""Measures models of audio between the samples that they were fitted to.

    python3 benches/between_samples.py AUDIO.wav... [--fit OPTION ...]

Five seconds from the first second on are limited to 0.9 of half the band, reduced to half the rate,
fitted, decoded at the full rate, and compared with the original: SNR in dB, also that of linear and
cubic interpolation.

Everything after --fit is passed to `vi3nr fit`. The script needs numpy, SciPy, Pillow and
`cargo build --release`.
"""

import pathlib
import sys
import tempfile

import numpy
from scipy.interpolate import CubicSpline
from scipy.io import wavfile

from between_pixels import fit, vi3nr

START, SECONDS, BAND = 1, 5, 0.9


def limited(path):
    """The rate and five seconds of the first channel, without frequencies above BAND / 4 cycles per sample."""
    rate, samples = wavfile.read(path)
    wave = samples.reshape(len(samples), -1)[START * rate : (START + SECONDS) * rate, 0].astype(float)
    wave = wave[: len(wave) // 2 * 2 - 1]
    spectrum = numpy.fft.rfft(wave)
    spectrum[numpy.fft.rfftfreq(len(wave)) > BAND / 4] = 0
    return rate, numpy.fft.irfft(spectrum, len(wave)) / numpy.abs(wave).max()


def snr(wave, approximation):
    return 10 * numpy.log10(numpy.sum(wave**2) / numpy.sum((wave - approximation) ** 2))


def main():
    words = sys.argv[1:]
    cut = words.index("--fit") if "--fit" in words else len(words)
    files, options = words[:cut], words[cut + 1 :]
    if not files:
        sys.exit(__doc__)
    print(f"{'file':24} {'linear':>7} {'cubic':>7} {'model':>7} {'of the samples':>15} {'GE':>6}")
    for path in map(pathlib.Path, files):
        rate, wave = limited(path)
        half = wave[::2]
        positions = numpy.arange(len(wave)) / 2
        linear = numpy.interp(positions, numpy.arange(len(half)), half)
        cubic = CubicSpline(numpy.arange(len(half)), half)(positions)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            wavfile.write(folder / "half.wav", rate // 2, half.astype(numpy.float32))
            decoded = folder / "decoded.wav"
            run, report = fit(folder / "half.wav", folder, options)
            vi3nr("decode", run, "--out", decoded, "--rate", rate // 2 * 2, "--sample-format", "float")
            model = wavfile.read(decoded)[1].astype(float)
        values = [snr(wave, linear), snr(wave, cubic), snr(wave, model), report["snr"]]
        print(f"{path.name:24} {values[0]:7.2f} {values[1]:7.2f} {values[2]:7.2f} {values[3]:15.2f} "
              f"{report['gradient_equivalents']:6.1f}", flush=True)


if __name__ == "__main__":
    main()
