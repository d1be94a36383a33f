"""How much of a mouth is hidden, by whatever it is: AlexNet's deepest convolutions look at the lower face, and a linear
head reads them.

AlexNet is torchvision's, trained on ImageNet. The head (1024 weights and a constant) was fitted by
`benchmarks/accuracy/occlusion.py` to the faces of fifteen films and a portrait, with drawn things put before them: 0
where they leave the lips free, 1 where they cover half of them or more.
"""

import base64
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifests.boxes import Box
from operators.base import Frame
from operators.models.catalogue import LPIPS_ALEX
from operators.weights import Weight

MODEL = "alexnet_lips"
WEIGHTS: tuple[Weight, ...] = (LPIPS_ALEX,)
SIDE_PX = 128
CELLS = 2  # the answers of AlexNet are averaged over a grid of this many cells each way
NUMBERS = 256 * CELLS**2
_MEANS, _SPREADS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pictures, as torchvision has them


def lower_face(frame: Frame, box: Box) -> NDArray[np.uint8]:
    """(128, 128, 3): the square about the mouth of a face, 0.84 times the box's longer side, its middle 72 % of the
    box's height down.
    """
    wide, high = box.right - box.left, box.bottom - box.top
    x, y, half = (box.left + box.right) / 2, box.top + 0.72 * high, 0.42 * max(wide, high)
    return frame.crop(x - half, y - half, x + half, y + half, (SIDE_PX, SIDE_PX))


class MouthCover:
    """The network and its head. Not for use by two threads at once."""

    def numbers(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, 1024) of lower faces (n, 128, 128, 3): what the head reads."""
        import torch

        with torch.inference_mode():
            given = torch.tensor(pictures).permute(0, 3, 1, 2).float() / 255
            given = (given - torch.tensor(_MEANS).view(1, 3, 1, 1)) / torch.tensor(_SPREADS).view(1, 3, 1, 1)
            return torch.nn.functional.adaptive_avg_pool2d(self._network(given), CELLS).flatten(1).numpy()

    def __call__(self, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(n,): of lower faces (n, 128, 128, 3), 0 where the lips are free to 1 where half of them or more are
        hidden.
        """
        weights, constant = HEAD
        return 1 / (1 + np.exp(-(self.numbers(pictures) @ weights + constant)))

    @cached_property
    def _network(self) -> Any:
        from operators.models.backbones import backbone

        return backbone("alex")[0]


def packed(weights: NDArray[np.float64], constant: float) -> str:
    """A head as text: its weights in 127ths of the largest."""
    scale = float(np.abs(weights).max()) / 127
    bytes_of = np.array([scale, constant], "<f4").tobytes() + np.rint(weights / scale).astype(np.int8).tobytes()
    return base64.b85encode(bytes_of).decode()


def unpacked(text: str) -> tuple[NDArray[np.float64], float]:
    """The weights (1024,) and the constant of `packed`."""
    bytes_of = base64.b85decode(text)
    scale, constant = np.frombuffer(bytes_of[:8], "<f4").astype(np.float64)
    return np.frombuffer(bytes_of[8:], np.int8) * scale, float(constant)


# Printed by `python -m benchmarks.accuracy.occlusion --fit`.
HEAD = unpacked(
    "*87Y*nCA(<{`&p?{2~Mr{R`>r)w<{u0sI632m%fd1OEsM{QU3o84w2q)!zgQ2LAQ?;qUSDAtna^6c7do{>B0N1_1~K{t*}?0|xv4`R(B4`1bVj{{8au0RjR7{r>v^5DE"
    "zf3H=fd{r?LOJTf31?+*S3{O{!b`|bPW|NH~{0|g2Y0R#R392xQN8ypJ#DctD400R5{@b%;57&W$x3lIna3l{?e?d}H$3Jd@N0{;B@1OWg485IHs^!ft;94{gV|Ni<00"
    "u|uy0sIF80|g`n68iq#{Qdv^1q1p23Ig`@932u7_w4KT`1RW3{QULy`ThU;7#{lg?HB(46Y~lO0R<8a2@3!K2nF}{1O5~O;{*2#Ate+22L=BD0|N{N0sssL{R{r+_Vf4"
    "m2@C-J`uPF^^YjG^2?-4l00a5-7!Lyh3j+cG_VoPu`~w0E1QZYu2M_}N?D_892nhfN3<eSpB0m`v{{H*?8ygN95(owR0|5g7{Qdv^6zL2Y{`dz60R9335(y3r0S5;E1N"
    "jFC5&HD?8UOh7@8>T_{Qdy}{SyEc6Ce8b{POt(5B>`X2mST=3IhiS1p@&D{QU&|`1273{{8^~00j8#3l8<~009mV6blds0t)T~6cY^)3kU@P2P{iq8x8^o{QdX#3=Iki"
    "2@V1Y>F(d(0tpxf0R#{d4Ez89|M=js1Ox&E{PPh8L~A-S?fCEQ4FdD|0sH*`>hSpa{QLw10}A^A>gns~1O@^F5)=LZ9w!tP2LSu`0R#{Y`1I-S2?g>0^!ES)=>-oA4Kx"
    "rP4+Q}P0RjgL0sIgR4h;nS3kL`V59<U1BL*2G4hQ}67!UdR|NQLj`u73@`~dOh`u6+t{|*&07z!c=9w-0V{Q(ylB^?C?3mE_eDhv@i^#c6<{r~mz0{{B;4+jeV3<no1?"
    "(Uww+TH;700I2`1M~v~94`I!1NYIw0ssX60RjE~X*Cud1Oo8!_x$(w`ydDr`}zz73IzxQ6BGmf5g_~^4*wAQ{rvIo{s8y*78wHl6%_;;3ls|}`SASw_3Ziy{{j~c6&M8"
    "c5cvfE0SWy40}BBV5D*6a1_TNQ|M?610|WT|5ETp${1yNQ^Yab~`uO_z2pJ0u3J?tr5DgCi=<xI21OxH*1OpKX85aTf`SkPkAr}n@Olc=H2n+WC`T6<y2@LGi`1k1J3k"
    "2-$2nY502L%cW9Tg!MBQWpm3K;(P3lZ`1{QB<h_xkws{PzL>OMe9wAqW-$8yWxh5fl9S@%jM!5e)+Z2>1T`_4oSy9w!$Y{rw69;o2@R1`GA}{t@o;7Y_vr3IqZM9tI2p"
    "2?zWI2m}HG"
)
