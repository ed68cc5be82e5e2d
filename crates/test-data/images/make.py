#!/usr/bin/env python3
"""Draws hills.png, tiles.png and leaves.png, the images of the tests (needs NumPy and Pillow).

    python3 crates/test-data/images/make.py

The images are of the project's own making and under its license.
"""
from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 192, 256
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH] / HEIGHT


def noise(rng, cells):
    """Smooth noise with `cells` features along the height, in [-1, 1]."""
    grid = rng.uniform(-1, 1, (cells + 2, cells * WIDTH // HEIGHT + 3))
    y, x = Y * cells, X * cells
    i, j = y.astype(int), x.astype(int)
    u, v = y - i, x - j
    u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
    top = grid[i, j] * (1 - v) + grid[i, j + 1] * v
    bottom = grid[i + 1, j] * (1 - v) + grid[i + 1, j + 1] * v
    return top * (1 - u) + bottom * u


def fractal(rng, cells, octaves, fall):
    return sum(noise(rng, cells << k) * fall**k for k in range(octaves))


def blend(image, mask, color):
    mask = np.clip(mask, 0, 1)[..., None]
    return image * (1 - mask) + np.asarray(color) * mask


def hills():
    rng = np.random.default_rng(1)
    image = np.stack([0.45 + 0.35 * Y, 0.6 + 0.2 * Y, 0.9 - 0.2 * Y], axis=-1)
    image = blend(image, fractal(rng, 3, 5, 0.55) * 0.8, [0.95, 0.95, 0.97])
    for k in range(5):
        ridge = 0.4 + 0.12 * k + 0.09 * fractal(rng, 2 + k, 4, 0.5)[0][None, :]
        shade = np.array([0.35 - 0.05 * k, 0.5 - 0.06 * k, 0.45 - 0.08 * k])
        grain = 0.05 * fractal(rng, 24, 3, 0.7)[..., None]
        image = np.where(((Y - ridge) > 0)[..., None], shade + grain, image)
    return image


def tiles():
    rng = np.random.default_rng(2)
    image = np.ones((HEIGHT, WIDTH, 3)) * [0.9, 0.88, 0.8]
    for y in range(0, HEIGHT, 32):
        for x in range(0, WIDTH, 32):
            color = rng.uniform(0.1, 0.9, 3)
            image[y + 2 : y + 30, x + 2 : x + 30] = color
            inner = np.hypot(Y * HEIGHT - y - 15.5, X * HEIGHT - x - 15.5) < rng.uniform(4, 13)
            image[inner] = 1 - color
    return image


def leaves():
    rng = np.random.default_rng(3)
    image = np.stack([0.15 + 0.05 * Y, 0.2 + 0.1 * X, 0.1 + 0 * X], axis=-1)
    for _ in range(260):
        cx, cy, angle = rng.uniform(0, WIDTH / HEIGHT), rng.uniform(0, 1), rng.uniform(0, np.pi)
        length, width = rng.uniform(0.04, 0.12), rng.uniform(0.012, 0.04)
        u = (X - cx) * np.cos(angle) + (Y - cy) * np.sin(angle)
        v = -(X - cx) * np.sin(angle) + (Y - cy) * np.cos(angle)
        inside = 1 - (u / length) ** 2 - np.abs(v) / width
        color = rng.uniform([0.1, 0.3, 0.05], [0.6, 0.75, 0.3])
        vein = 0.8 + 0.2 * np.cos(60 * u / length) * np.exp(-np.abs(v) / width)
        image = blend(image, inside * 8, color) * np.where(inside > 0, vein, 1)[..., None]
    return image + 0.03 * rng.normal(size=image.shape[:2])[..., None]


if __name__ == "__main__":
    for name, draw in [("hills", hills), ("tiles", tiles), ("leaves", leaves)]:
        values = np.round(np.clip(draw(), 0, 1) * 255).astype(np.uint8)
        Image.fromarray(values).save(Path(__file__).parent / f"{name}.png", optimize=True)
