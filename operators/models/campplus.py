"""CAM++, the speaker embedding of Wang et al., "CAM++: A Fast and Efficient Network for Speaker Verification Using
Context-Aware Masking" (Interspeech 2023), as a model that pyannote.audio's pipelines take.

Layer names are those of the state dicts that the 3D-Speaker project publishes, so that they load strictly. Importing
this module imports torch and pyannote.audio.
"""

from collections import OrderedDict
from functools import cached_property
from pathlib import Path
from typing import Self

import torch
import torch.nn.functional as F
from pyannote.audio import Model
from torch import Tensor, nn
from torchaudio.compliance import kaldi

from operators.models.folded_campplus import FoldedCampplus

MELS = 80
MIN_FRAMES = 10  # of 10 ms: with fewer, the spread over time of the pooled features says nothing


class CamPlusPlus(Model):
    """A voice as 192 numbers; compare two by their cosine.

    `forward` is what `pyannote.audio.pipelines.speaker_verification.PyannoteAudioPretrainedSpeakerEmbedding` calls,
    so the model can be given as `SpeakerDiarization(embedding=...)`.
    """

    dimension = 192

    def __init__(self) -> None:
        super().__init__(sample_rate=16000, num_channels=1)
        self.head = _Head()
        layers: list[tuple[str, nn.Module]] = [("tdnn", _conv_then_norm(32 * MELS // 8, 128, kernel=5, stride=2))]
        channels = 128
        for n, (depth, dilation) in enumerate([(12, 1), (24, 2), (16, 2)], start=1):
            layers.append((f"block{n}", _DenseBlock(channels, depth, dilation)))
            channels += depth * 32
            layers.append((f"transit{n}", _norm_then_conv(channels, channels // 2)))
            channels //= 2
        layers += [
            ("out_nonlinear", _norm_relu(channels)),
            ("stats", _MeanAndSpread()),
            ("dense", _Dense(2 * channels, self.dimension)),
        ]
        self.xvector = nn.Sequential(OrderedDict(layers))

    @classmethod
    def load(cls, path: Path) -> Self:
        """The model with a published state dict, in evaluation mode.

        Raises:
            RuntimeError: when the state dict is not exactly this network's.
        """
        model = cls()
        model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), strict=True)
        return model.eval()

    def forward(self, waveforms: Tensor, weights: Tensor | None = None) -> Tensor:
        """Embeds each waveform, or what its weights select of it.

        Each is embedded alone: the network's context means run over time, so padding to one length would change them.

        Args:
            waveforms: (batch, 1, samples), 16 kHz, -1 to 1.
            weights: (batch, frames) at any frame rate; time where the weight is above 0.5 is embedded, the rest is cut
                out.

        Returns:
            (batch, 192). NaN where weights select less than 0.1 s.

        Raises:
            ValueError: without weights, for waveforms shorter than 0.1 s.
        """
        embeddings = waveforms.new_full((len(waveforms), self.dimension), torch.nan)
        last: tuple[Tensor, Tensor] | None = None
        for n, waveform in enumerate(waveforms):
            if weights is not None and not (weights[n] > 0.5).any():
                continue
            # A pipeline gives the same waveform once for each speaker of a chunk.
            if last is None or not torch.equal(last[0], waveform):
                last = waveform, log_mel(waveform)
            features = last[1]
            if weights is None and len(features) < MIN_FRAMES:
                raise ValueError(f"{waveform.shape[-1]} samples hold {len(features)} frames; {MIN_FRAMES} are needed")
            if weights is not None:
                features = features[F.interpolate(weights[n, None, None], size=len(features))[0, 0] > 0.5]
            if len(features) >= MIN_FRAMES:
                embeddings[n] = self.embed(features[None])[0]
        return embeddings

    def embed(self, features: Tensor) -> Tensor:
        """(batch, frames, 80) log mel energies to (batch, 192). Their mean over time is taken out here."""
        features = features - features.mean(dim=1, keepdim=True)
        if features.device.type == "cpu" and not self.training:
            return torch.stack([self.folded(one) for one in features])
        return self.xvector(self.head(features.transpose(1, 2)))

    @cached_property
    def folded(self) -> FoldedCampplus:
        """Its parameters as they are when it is first asked for."""
        return FoldedCampplus(self.head, self.xvector)


def log_mel(waveform: Tensor) -> Tensor:
    """(1, samples) at 16 kHz, -1 to 1, to (frames, 80): Kaldi's log mel energies, 25 ms every 10 ms, without dither."""
    if waveform.shape[-1] < 400:
        return waveform.new_zeros((0, MELS))
    return kaldi.fbank(waveform, num_mel_bins=MELS, sample_frequency=16000, dither=0.0)


class _Head(nn.Module):
    """(batch, 80, time) to (batch, 320, time): residual 2-D convolutions that keep time and halve the bands three
    times.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.layer1 = nn.Sequential(_Residual(stride=2), _Residual(stride=1))
        self.layer2 = nn.Sequential(_Residual(stride=2), _Residual(stride=1))
        self.conv2 = nn.Conv2d(32, 32, 3, stride=(2, 1), padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(32)

    def forward(self, bands: Tensor) -> Tensor:
        maps = F.relu(self.bn1(self.conv1(bands[:, None])))
        maps = self.layer2(self.layer1(maps))
        return F.relu(self.bn2(self.conv2(maps))).flatten(1, 2)


class _Residual(nn.Module):
    def __init__(self, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(32, 32, 3, stride=(stride, 1), padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 32, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(32)
        resized = [nn.Conv2d(32, 32, 1, stride=(stride, 1), bias=False), nn.BatchNorm2d(32)]
        self.shortcut = nn.Sequential(*(resized if stride > 1 else []))

    def forward(self, maps: Tensor) -> Tensor:
        inner = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(maps)))))
        return F.relu(inner + self.shortcut(maps))


class _DenseBlock(nn.ModuleDict):
    """Each layer reads all before it and adds 32 channels."""

    def __init__(self, channels: int, depth: int, dilation: int) -> None:
        super().__init__({f"tdnnd{n + 1}": _DenseLayer(channels + 32 * n, dilation) for n in range(depth)})

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.values():
            x = torch.cat([x, layer(x)], dim=1)
        return x


class _DenseLayer(nn.Sequential):
    def __init__(self, channels: int, dilation: int) -> None:
        linear = nn.Conv1d(channels, 128, 1, bias=False)
        mask = _ContextMask(dilation)
        super().__init__(
            OrderedDict(nonlinear1=_norm_relu(channels), linear1=linear, nonlinear2=_norm_relu(128), cam_layer=mask)
        )


class _ContextMask(nn.Module):
    """A convolution whose channels are weighed by what is heard around: the mean of 2 s pieces and of the whole."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(128, 32, 3, padding=dilation, dilation=dilation, bias=False)
        self.linear1 = nn.Conv1d(128, 64, 1)
        self.linear2 = nn.Conv1d(64, 32, 1)

    def forward(self, x: Tensor) -> Tensor:
        pieces = F.avg_pool1d(x, kernel_size=100, stride=100, ceil_mode=True).repeat_interleave(100, dim=-1)
        context = x.mean(dim=-1, keepdim=True) + pieces[..., : x.shape[-1]]
        return self.linear_local(x) * torch.sigmoid(self.linear2(F.relu(self.linear1(context))))


class _MeanAndSpread(nn.Module):
    """(batch, channels, time) to (batch, 2 * channels): mean and standard deviation over time."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x.mean(dim=-1), x.std(dim=-1)], dim=-1)


class _Dense(nn.Module):
    def __init__(self, channels: int, dimension: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, dimension, 1, bias=False)
        self.nonlinear = nn.Sequential(OrderedDict(batchnorm=nn.BatchNorm1d(dimension, affine=False)))

    def forward(self, x: Tensor) -> Tensor:
        return self.nonlinear(self.linear(x[..., None])[..., 0])


def _norm_relu(channels: int) -> nn.Sequential:
    return nn.Sequential(OrderedDict(batchnorm=nn.BatchNorm1d(channels), relu=nn.ReLU()))


def _conv_then_norm(channels: int, out: int, kernel: int, stride: int) -> nn.Sequential:
    linear = nn.Conv1d(channels, out, kernel, stride=stride, padding=kernel // 2, bias=False)
    return nn.Sequential(OrderedDict(linear=linear, nonlinear=_norm_relu(out)))


def _norm_then_conv(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(OrderedDict(nonlinear=_norm_relu(channels), linear=nn.Conv1d(channels, out, 1, bias=False)))
