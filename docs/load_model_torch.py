"""Load a vi3nr model of one network into PyTorch. Usage: load_model_torch.py MODEL"""
import json, sys
import torch
from safetensors import safe_open

ACTIVATIONS = {
    "sine": lambda x, omega: torch.sin(omega * x),
    "gaussian": lambda x, sigma: torch.exp(-(x**2) / (2 * sigma**2)),
    "sinc": lambda x, a: torch.sinc(a * x / torch.pi),
    "wavelet": lambda x, a: torch.cos(a * x) * torch.exp(-((a * x) ** 2)),
    "tanh": torch.tanh,
    "relu": torch.relu,
}


class Network(torch.nn.Module):
    """The MLP of a model file; maps (n, inputs) to (n, outputs)."""

    def __init__(self, path):
        super().__init__()
        with safe_open(path, framework="pt") as file:
            self.metadata = file.metadata()
            dims = [int(n) for n in self.metadata["dims"].split(",")]
            self.layers = torch.nn.ModuleList(
                torch.nn.Linear(a, b) for a, b in zip(dims, dims[1:])
            )
            for i, layer in enumerate(self.layers):
                layer.weight.data = file.get_tensor(f"net.{i}.weight").float()
                layer.bias.data = file.get_tensor(f"net.{i}.bias").float()
        name, _, rest = self.metadata["activation"].partition(":")
        values = {k: float(v) for k, v in (p.split("=") for p in rest.split(",") if p)}
        self.f = lambda x: ACTIVATIONS[name](x, **values)

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = self.f(layer(x))
        return self.layers[-1](x)


if __name__ == "__main__":
    network = Network(sys.argv[1])
    signal = json.loads(network.metadata["signal"])
    w, h = signal["width"], signal["height"]
    x, y = ((2 * torch.arange(n) - (n - 1)) / (max(w, h, 2) - 1) for n in (w, h))
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).reshape(-1, 2)
    with torch.no_grad():
        values = network(float(network.metadata["input_scale"]) * grid).reshape(h, w, -1)
    print(values.shape, values.min().item(), values.max().item())
