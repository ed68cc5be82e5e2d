"""Models as people write them, for the tests of vi3nr.torch."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn


class SineLayer(nn.Module):
    """As in the notebook of SIREN's authors."""

    def __init__(self, inputs: int, outputs: int, is_first: bool = False, omega_0: float = 30) -> None:
        super().__init__()
        self.omega_0, self.is_first, self.in_features = omega_0, is_first, inputs
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return torch.sin(self.omega_0 * self.linear(input))


class Siren(nn.Module):
    def __init__(self, inputs: int = 2, hidden: int = 256, layers: int = 3, outputs: int = 3) -> None:
        super().__init__()
        net: list[nn.Module] = [SineLayer(inputs, hidden, is_first=True)]
        net += [SineLayer(hidden, hidden) for _ in range(layers)]
        net.append(nn.Linear(hidden, outputs))
        self.net = nn.Sequential(*net)

    def forward(self, coords: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        coords = coords.clone().detach().requires_grad_(True)
        return self.net(coords), coords


class Sine(nn.Module):
    def __init__(self, w0: float = 1.0) -> None:
        super().__init__()
        self.w0 = w0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(self.w0 * x)


class FunctionalLayer(nn.Module):
    """As in siren-pytorch: the weight is a parameter of the module itself."""

    def __init__(self, inputs: int, outputs: int, activation: nn.Module) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.activation = activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.activation(F.linear(x, self.weight, self.bias))


class SirenNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [FunctionalLayer(2, 256, Sine(30.0)), FunctionalLayer(256, 256, Sine(30.0))]
        )
        self.last_layer = FunctionalLayer(256, 3, nn.Identity())

    def forward(self, x: torch.Tensor, mods: Any = None) -> torch.Tensor:
        mods = (None,) * len(self.layers) if mods is None else mods
        for layer, mod in zip(self.layers, mods, strict=True):
            x = layer(x)
            if mod is not None:
                x = x * mod
        return self.last_layer(x)


class Gaussian(nn.Module):
    def __init__(self, a: float = 0.05, trainable: bool = True) -> None:
        super().__init__()
        self.register_parameter("a", nn.Parameter(a * torch.ones(1), trainable))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.exp(-(x**2) / (2 * self.a**2))


def gaussian_mlp(hidden: int = 256, outputs: int = 3, hidden_layers: int = 3) -> nn.Sequential:
    net: list[nn.Module] = [nn.Linear(2, hidden), Gaussian()]
    for _ in range(hidden_layers):
        net += [nn.Linear(hidden, hidden), Gaussian()]
    return nn.Sequential(*net, nn.Linear(hidden, outputs))


class RealGaborLayer(nn.Module):
    """WIRE with real numbers."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.omega_0, self.scale_0 = 10.0, 10.0
        self.freqs, self.scale = nn.Linear(inputs, outputs), nn.Linear(inputs, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        omega = self.omega_0 * self.freqs(x)
        scale = self.scale(x) * self.scale_0
        return torch.cos(omega) * torch.exp(-(scale**2))


class ComplexGaborLayer(nn.Module):
    """WIRE."""

    def __init__(self, inputs: int, outputs: int, is_first: bool = False) -> None:
        super().__init__()
        kind = torch.float if is_first else torch.cfloat
        self.linear = nn.Linear(inputs, outputs, dtype=kind)
        self.omega_0 = nn.Parameter(torch.tensor(10.0), False)
        self.scale_0 = nn.Parameter(torch.tensor(10.0), False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        lin = self.linear(x)
        return torch.exp(1j * self.omega_0 * lin - (self.scale_0 * lin).abs().square())


class FinerLayer(nn.Module):
    def __init__(self, inputs: int, outputs: int, omega_0: float = 30) -> None:
        super().__init__()
        self.omega_0 = omega_0
        self.linear = nn.Linear(inputs, outputs)

    def generate_scale(self, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return torch.abs(x) + 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        lin = self.linear(x)
        return torch.sin(self.omega_0 * self.generate_scale(lin) * lin)


def tanh_mlp(depth: int = 50, width: int = 256, inputs: int = 64, outputs: int = 10) -> nn.Sequential:
    net: list[nn.Module] = [nn.Linear(inputs, width), nn.Tanh()]
    for _ in range(depth - 2):
        net += [nn.Linear(width, width), nn.Tanh()]
    return nn.Sequential(*net, nn.Linear(width, outputs))


def conv_net() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 64, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, 10),
    )


class BasicBlock(nn.Module):
    """As in torchvision's ResNet."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        identity = x
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1, self.relu = nn.BatchNorm2d(16), nn.ReLU(inplace=True)
        self.layer1, self.layer2 = BasicBlock(16, 16), BasicBlock(16, 32, 2)
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(32, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.avgpool(self.layer2(self.layer1(x)))
        return self.fc(torch.flatten(x, 1))


class RMSNorm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


class TransformerBlock(nn.Module):
    """Attention and SwiGLU, each after a normalization."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = RMSNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.w1, self.w3 = nn.Linear(width, 4 * width), nn.Linear(width, 4 * width)
        self.w2 = nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).split(width, dim=2)
        q, k, v = (
            part.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for part in (q, k, v)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).reshape(batch, length, width))
        h = self.norm2(x)
        return x + self.w2(F.silu(self.w1(h)) * self.w3(h))


class Transformer(nn.Module):
    def __init__(self, width: int = 64, tied: bool = False) -> None:
        super().__init__()
        self.embedding = nn.Embedding(100, width)
        self.position = nn.Parameter(0.02 * torch.randn(1, 16, width))
        self.blocks = nn.ModuleList([TransformerBlock(width, 4) for _ in range(2)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 100, bias=False)
        if tied:
            self.head.weight = self.embedding.weight

    def forward(self, tokens: torch.Tensor, targets: Any = None) -> torch.Tensor:
        x = self.embedding(tokens) + self.position[:, : tokens.size(1)]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2 = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 32, 3, 2, padding=1)
        self.up = nn.ConvTranspose2d(32, 16, 2, stride=2)
        self.merge, self.out = nn.Conv2d(32, 16, 3, padding=1), nn.Conv2d(16, 1, 1)
        self.act = nn.LeakyReLU(0.2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = self.act(self.down1(x))
        second = self.act(self.down2(first))
        merged = torch.cat([self.up(second), first], dim=1)
        return self.out(self.act(self.merge(merged)))


class ResidualMLP(nn.Module):
    """Sums without normalization, as in many fields of physics."""

    def __init__(self, width: int = 512, blocks: int = 4) -> None:
        super().__init__()
        self.first = nn.Linear(3, width)
        self.a = nn.ModuleList([nn.Linear(width, width) for _ in range(blocks)])
        self.b = nn.ModuleList([nn.Linear(width, width) for _ in range(blocks)])
        self.last = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.tanh(self.first(x))
        for a, b in zip(self.a, self.b, strict=True):
            x = x + b(F.gelu(a(x)))
        return self.last(x)


class NeRF(nn.Module):
    """An MLP whose input comes in again half way."""

    def __init__(self, width: int = 256) -> None:
        super().__init__()
        self.a = nn.ModuleList([nn.Linear(3, width), nn.Linear(width, width)])
        self.b = nn.ModuleList([nn.Linear(width + 3, width), nn.Linear(width, 4)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = x
        for layer in self.a:
            h = F.relu(layer(h))
        h = torch.cat([h, x], dim=-1)
        return self.b[1](F.relu(self.b[0](h)))


def coordinates(count: int = 1024, dimensions: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(99)
    return torch.rand(count, dimensions, generator=generator) * 2 - 1


def normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(99))


