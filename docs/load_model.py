"""Load a vi3nr model with NumPy alone and evaluate it. Usage: load_model.py MODEL OUT.npy"""
import json, struct, sys
import numpy as np

# f(x) of the named activations; parameters by keyword, as in "gaussian:sigma=0.05".
ACTIVATIONS = {
    "sine": lambda x, omega: np.sin(omega * x),
    "gaussian": lambda x, sigma: np.exp(-(x**2) / (2 * sigma**2)),
    "sinc": lambda x, a: np.sinc(a * x / np.pi),
    "wavelet": lambda x, a: np.cos(a * x) * np.exp(-((a * x) ** 2)),
    "tanh": lambda x: np.tanh(x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "silu": lambda x: x / (1 + np.exp(-x)),
}


def load(path):
    """The metadata, as text, and the tensors, as float32, of a safetensors file."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    metadata, tensors = header.pop("__metadata__"), {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        kind = {"F32": "<f4", "F16": "<f2", "BF16": "<u2", "I32": "<i4"}[entry["dtype"]]
        values = np.frombuffer(data[start:end], kind).reshape(entry["shape"])
        if entry["dtype"] == "BF16":
            values = (values.astype("<u4") << 16).view("<f4")
        tensors[name] = values if kind == "<i4" else values.astype(np.float32)
    return metadata, tensors


def activation(text):
    """The function that an entry such as "sine:omega=30" names."""
    name, _, rest = text.partition(":")
    values = dict(pair.split("=") for pair in rest.split(",") if pair)
    values = {key: float(value) for key, value in values.items()}
    return lambda x: ACTIVATIONS[name](x, **values)


def mlp(tensors, prefix, f, x, piece=...):
    """The network's values at points x of shape (n, inputs)."""
    layers = sum(name.startswith(prefix) and name.endswith(".weight") for name in tensors)
    for i in range(layers):
        x = x @ tensors[f"{prefix}{i}.weight"][piece].T + tensors[f"{prefix}{i}.bias"][piece]
        x = f(x) if i + 1 < layers else x
    return x


def image(path):
    """The image of a model at its own size, shape (height, width, channels), within about [-1, 1]."""
    metadata, tensors = load(path)
    f, signal = activation(metadata["activation"]), json.loads(metadata["signal"])
    scale, w, h = float(metadata["input_scale"]), signal["width"], signal["height"]

    def points(columns, rows):
        x, y = np.meshgrid(columns, rows)  # x before y, rows from the top
        return (scale * np.stack([x.ravel(), y.ravel()], -1)).astype(np.float32)

    if "pieces" not in metadata:
        long = max(w, h, 2) - 1
        axes = [(2 * np.arange(n) - (n - 1)) / long for n in (w, h)]
        return mlp(tensors, "net.", f, points(*axes)).reshape(h, w, -1)

    # Each piece has a network of its own; the weights of the pieces sum to 1 at every pixel.
    grid = json.loads(metadata["pieces"])
    (nx, ny), overlap = grid["counts"], grid["overlap"]
    longest = max(min(-(-n // c) + 2 * overlap * (c > 1), n) for n, c in ((w, nx), (h, ny)))
    pitch, total = 2 / (max(longest, 2) - 1), 0

    def behind(positions, n, count, k):
        """The part of each position that lies behind border k of an axis."""
        if k in (0, count):
            return np.full(len(positions), float(k == 0))
        distance = positions - (n * k // count - 0.5)
        t = np.clip(distance / (2 * overlap) + 0.5, 0, 1) if overlap else 1.0 * (distance >= 0)
        return t * t * (3 - 2 * t)

    def along(n, count, k):
        """Positions that piece k of an axis contributes to, their coordinates and weights."""
        start, end = max(n * k // count - overlap, 0), min(n * (k + 1) // count + overlap, n)
        p = np.arange(start, end)
        weight = behind(p, n, count, k) - behind(p, n, count, k + 1)
        return p, (p - (start + end - 1) / 2) * pitch, weight

    for g in range(len(grid["networks"])):
        for slot, index in enumerate(tensors[f"pieces.{g}.index"]):
            px, cx, wx = along(w, nx, index % nx)
            py, cy, wy = along(h, ny, index // nx)
            values = mlp(tensors, f"pieces.{g}.net.", f, points(cx, cy), slot)
            if np.isscalar(total):
                total = np.zeros((h, w, values.shape[-1]))
            total[np.ix_(py, px)] += values.reshape(len(py), len(px), -1) * np.outer(wy, wx)[..., None]
    return total


if __name__ == "__main__":
    np.save(sys.argv[2], image(sys.argv[1]))
