"""dlib's face recognition network: a ResNet of 29 layers, read out of dlib's own file and run in torch.

The file is what `dlib::serialize` writes of a network, from the input to the output. An integer is a byte that holds
its sign (bit 7) and its number of bytes, and these, the least first. A float is two integers, mantissa and binary
exponent. A text is its length and its bytes. A tensor is its version, its four sizes and its floats, little-endian. A
layer is the details that its name asks for, three flags, and three tensors that training left empty.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from manifests.errors import WeightError

if TYPE_CHECKING:
    import torch

NUMBERS = 128


class DlibFile:
    """The values of a file in their order.

    Raises:
        WeightError: from every method, where the bytes are not what it asks for.
    """

    def __init__(self, data: bytes):
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        if count < 0 or self._at + count > len(self._data):
            raise WeightError(f"the network ends at byte {len(self._data)} where {count} more are expected")
        self._at += count
        return self._data[self._at - count : self._at]

    def integer(self) -> int:
        """An integer of up to 8 bytes."""
        control = self.take(1)[0]
        if not 1 <= control & 0x7F <= 8:
            raise WeightError(f"byte {self._at - 1} of the network is {control:#x}, where an integer is expected")
        value = int.from_bytes(self.take(control & 0x7F), "little")
        return -value if control & 0x80 else value

    def integers(self, count: int) -> list[int]:
        """Integers that follow each other."""
        return [self.integer() for _ in range(count)]

    def real(self) -> float:
        """A float or double."""
        mantissa, exponent = self.integers(2)
        return mantissa * 2.0**exponent

    def text(self) -> str:
        """A text in ASCII."""
        return self.take(self.integer()).decode("ascii", "replace")

    def tensor(self) -> NDArray[np.float32]:
        """(samples, channels, rows, columns)."""
        if (version := self.integer()) != 2:
            raise WeightError(f"a tensor of version {version} of the network is not known, 2 is")
        shape = self.integers(4)
        return np.frombuffer(self.take(4 * int(np.prod(shape))), "<f4").reshape(shape)

    def expect(self, value: object, given: object, what: str) -> None:
        """Refuses another value than the one expected."""
        if given != value:
            raise WeightError(f"{what} of the network is {given!r}, not {value!r}")

    def end_of_layer(self) -> None:
        """The three flags, and the tensors that hold nothing after training."""
        self.take(3)
        for _ in range(3):
            self.expect(0, self.tensor().size, "what training left")

    def finish(self) -> None:
        """Refuses a file that goes on."""
        self.expect(len(self._data), self._at, "the length")


def _none() -> NDArray[np.float32]:
    return np.zeros(0, np.float32)


@dataclass(frozen=True)
class Layer:
    """One layer: its kind in dlib's words, and its numbers."""

    kind: str
    weight: NDArray[np.float32] = field(
        default_factory=_none
    )  # con_: (out, in, h, w); fc_: (in, out); affine_: (channels,)
    bias: NDArray[np.float32] = field(default_factory=_none)  # (channels,)
    kernel: tuple[int, int] = (0, 0)  # rows, columns; 0 is the whole picture
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class DlibNetwork:
    """What the file holds."""

    mean_rgb: tuple[float, float, float]  # taken off a pixel's values of 0 to 255 before they are divided by 256
    size_px: int
    layers: list[Layer]

    @classmethod
    def read(cls, path: Path) -> "DlibNetwork":
        """Reads the face recognition network out of `dlib_face_recognition_resnet_model_v1.dat`.

        Raises:
            WeightError: for a file of another format or another network.
        """
        file = DlibFile(path.read_bytes())
        file.expect(1, file.integer(), "the version")
        file.expect("loss_metric_2", file.text(), "the loss")
        [file.real() for _ in range(2)]  # margin and distance threshold, of training
        # the versions of the layers, the last first: they are nested; that of the input is 3
        while file.integer() != 3:
            pass
        file.expect("input_rgb_image_sized", file.text(), "the input")
        mean = file.real(), file.real(), file.real()
        rows, columns = file.integers(2)
        file.expect(rows, columns, "the picture's width")
        layers: list[Layer] = []
        while not layers or layers[-1].kind != "fc_2":
            layers.append(_layer(file))
            file.end_of_layer()
            if len(layers) == 1:
                file.expect(1, file.integer(), "the number of pictures of a sample")
        file.finish()
        return cls(mean, rows, layers)


def _layer(file: DlibFile) -> Layer:
    kind = file.text()
    if kind in ("relu_", "add_prev_"):
        return Layer(kind)
    if kind in ("max_pool_2", "avg_pool_2"):
        rows, columns, down, right, top, left = file.integers(6)
        return Layer(kind, kernel=(rows, columns), stride=(down, right), padding=(top, left))
    if kind == "con_4":
        numbers = file.tensor().ravel()
        (filters, rows, columns, down, right, top, left) = file.integers(7)
        weights, _ = _alias(file), _alias(file)
        [file.real() for _ in range(4)]  # rates of training
        weight, bias = numbers[:-filters].reshape(weights), numbers[-filters:]
        return Layer(kind, weight, bias, (rows, columns), (down, right), (top, left))
    if kind == "affine_":
        numbers = file.tensor().ravel()
        [_alias(file) for _ in range(2)]
        file.integer()
        half = len(numbers) // 2
        return Layer(kind, numbers[:half], numbers[half:])
    if kind == "fc_2":
        outputs, inputs = file.integers(2)
        numbers = file.tensor().reshape(inputs, outputs)
        [_alias(file) for _ in range(2)]
        file.expect(1, file.integer(), "the bias of the last layer")  # 1: it has none
        [file.real() for _ in range(4)]
        return Layer(kind, numbers)
    raise WeightError(f"a layer of the network is {kind!r}, which is not known")


def _alias(file: DlibFile) -> list[int]:
    """The sizes of a part of a layer's numbers."""
    file.expect(1, file.integer(), "the version of a part")
    return file.integers(4)


class DlibResnet:
    """The network over pictures; deterministic."""

    def __init__(self, network: DlibNetwork):
        import torch

        from operators.models.device import device

        self._device = device()
        self._mean = torch.tensor(network.mean_rgb, device=self._device).reshape(1, 3, 1, 1)
        self._layers = [
            (layer, torch.tensor(layer.weight, device=self._device), torch.tensor(layer.bias, device=self._device))
            for layer in network.layers
        ]
        self.size_px = network.size_px

    def __call__(self, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(n, 128), of about length 1, of RGB pictures (n, 150, 150, 3)."""
        import torch

        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(pictures)).to(self._device).permute(0, 3, 1, 2).float()
            return self._run((x - self._mean) / 256).double().cpu().numpy()

    def _run(self, x: "torch.Tensor") -> "torch.Tensor":
        from torch.nn import functional

        before = x  # what the next sum takes: the values before its block, pooled where the block makes them smaller
        for number, (layer, weight, bias) in enumerate(self._layers):
            if layer.kind == "con_4":
                x = functional.conv2d(x, weight, bias, layer.stride, layer.padding)
            elif layer.kind == "affine_":
                x = x * weight.reshape(1, -1, 1, 1) + bias.reshape(1, -1, 1, 1)
            elif layer.kind == "relu_":
                x = functional.relu(x)
            elif layer.kind == "max_pool_2":
                before = x = functional.max_pool2d(x, layer.kernel, layer.stride, layer.padding)
            elif layer.kind == "avg_pool_2" and layer.kernel == (0, 0):
                x = x.mean(dim=(2, 3))
            elif layer.kind == "avg_pool_2":
                before = functional.avg_pool2d(before, layer.kernel, layer.stride, layer.padding)
            elif layer.kind == "add_prev_":
                x = _sum(x, before)
            else:
                x = x @ weight
            if layer.kind == "relu_" and self._layers[number - 1][0].kind == "add_prev_":
                before = x
        return x


def _sum(one: "torch.Tensor", other: "torch.Tensor") -> "torch.Tensor":
    """The sum of two blocks, the smaller with zeros behind it in channels, rows and columns."""
    from torch.nn import functional

    sizes = [max(pair) for pair in zip(one.shape[1:], other.shape[1:], strict=True)]

    def padded(x: "torch.Tensor") -> "torch.Tensor":
        behind = [size - have for size, have in zip(sizes, x.shape[1:], strict=True)]
        return functional.pad(x, (0, behind[2], 0, behind[1], 0, behind[0])) if any(behind) else x

    return padded(one) + padded(other)
