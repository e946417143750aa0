"""How to use a detector's TFLite and ONNX files in a program: the lines that its model card prints.

They do what `detectors` does. SIZE stands for the side in pixels of the square that the network sees.
"""

from __future__ import annotations

_PYTHON = """
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image, ImageOps

detector = Interpreter(model_path="model.tflite", num_threads=1).get_signature_runner()
labels = open("labels.txt", encoding="utf-8").read().splitlines()
picture = ImageOps.exif_transpose(Image.open("picture.jpg")).convert("RGB")
width, height = (max(1, round(side * SIZE / max(picture.size))) for side in picture.size)
pixels = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR), np.float32) / 255
square = np.zeros((1, SIZE, SIZE, 3), np.float32)
square[0, :height, :width] = (pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
found = detector(image=square)
for i in range(int(found["num_detections"][0])):
    box = found["detection_boxes"][0, i] / [height, width, height, width]
    top, left, bottom, right = box * [picture.height, picture.width, picture.height, picture.width]
    label, score = labels[int(found["detection_classes"][0, i]) - 1], found["detection_scores"][0, i]
    print(f"{label} {score:.3f} {left:.1f} {top:.1f} {right:.1f} {bottom:.1f}")
"""

_ONNX = """
import numpy as np
import onnxruntime
from PIL import Image, ImageOps
detector = onnxruntime.InferenceSession("model.onnx")
labels = detector.get_modelmeta().custom_metadata_map["labels"].splitlines()
picture = ImageOps.exif_transpose(Image.open("picture.jpg")).convert("RGB")
seen = {"image": np.asarray(ImageOps.contain(picture, (TWICE, TWICE)))[None]}
*rows, number = detector.run(None, seen)
for box, label, score in zip(*(row[0, : number[0]] for row in rows)):
    print(labels[label - 1], f"{score:.3f}", *(box * np.tile(picture.size[::-1], 2)).round(1))
"""

_KOTLIN = """
// model: the file as a MappedByteBuffer; labels: the lines of labels.txt; picture: an upright Bitmap
val detector = Interpreter(model, Interpreter.Options().setNumThreads(1))
val scale = SIZEf / maxOf(picture.width, picture.height)
val (width, height) = listOf(picture.width, picture.height).map { maxOf(1, (it * scale).roundToInt()) }
var small = picture
// createScaledBitmap looks at few of a large picture's pixels: halve it first.
while (small.width >= 2 * width && small.height >= 2 * height)
    small = Bitmap.createScaledBitmap(small, small.width / 2, small.height / 2, true)
small = Bitmap.createScaledBitmap(small, width, height, true)
val square = Array(1) { Array(SIZE) { Array(SIZE) { FloatArray(3) } } }
for (y in 0 until height) for (x in 0 until width) small.getPixel(x, y).let {
    square[0][y][x][0] = (Color.red(it) / 255f - 0.485f) / 0.229f
    square[0][y][x][1] = (Color.green(it) / 255f - 0.456f) / 0.224f
    square[0][y][x][2] = (Color.blue(it) / 255f - 0.406f) / 0.225f
}
val boxes = Array(1) { Array(100) { FloatArray(4) } }
val (classes, scores) = List(2) { Array(1) { FloatArray(100) } }
val number = FloatArray(1)
detector.runSignature(
    mapOf<String, Any>("image" to square),
    mapOf<String, Any>("detection_boxes" to boxes, "detection_classes" to classes,
        "detection_scores" to scores, "num_detections" to number))
for (i in 0 until number[0].toInt()) {
    val (top, left, bottom, right) = boxes[0][i]
    val (across, down) = picture.width.toFloat() / width to picture.height.toFloat() / height
    val place = RectF(left * across, top * down, right * across, bottom * down)
    println("${labels[classes[0][i].toInt() - 1]} ${scores[0][i]} $place")
}
"""

_SWIFT = """
// path: of the file; labels: the lines of labels.txt; picture: an upright CGImage
var options = Interpreter.Options()
options.threadCount = 1
let detector = try Interpreter(modelPath: path, options: options).signatureRunner(with: "serving_default")
let scale = SIZE / Double(max(picture.width, picture.height))
let width = max(1, Int((Double(picture.width) * scale).rounded()))
let height = max(1, Int((Double(picture.height) * scale).rounded()))
let small = CGContext(data: nil, width: width, height: height, bitsPerComponent: 8, bytesPerRow: width * 4,
    space: CGColorSpaceCreateDeviceRGB(), bitmapInfo: CGImageAlphaInfo.noneSkipLast.rawValue)!
small.draw(picture, in: CGRect(x: 0, y: 0, width: width, height: height))
let pixels = small.data!.assumingMemoryBound(to: UInt8.self)
let mean: [Float] = [0.485, 0.456, 0.406], std: [Float] = [0.229, 0.224, 0.225]
var square = [Float](repeating: 0, count: SIZE * SIZE * 3)
for y in 0..<height { for x in 0..<width { for c in 0..<3 {
    square[(y * SIZE + x) * 3 + c] = (Float(pixels[(y * width + x) * 4 + c]) / 255 - mean[c]) / std[c]
} } }
try detector.invoke(with: ["image": square.withUnsafeBytes { Data($0) }])
func values(_ name: String) throws -> [Float] {
    try detector.output(named: name).data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
}
let boxes = try values("detection_boxes"), classes = try values("detection_classes")
let scores = try values("detection_scores")
let across = Float(picture.width) / Float(width), down = Float(picture.height) / Float(height)
for i in 0..<Int(try values("num_detections")[0]) {
    let top = boxes[4 * i] * down, left = boxes[4 * i + 1] * across
    let bottom = boxes[4 * i + 2] * down, right = boxes[4 * i + 3] * across
    print(labels[Int(classes[i]) - 1], scores[i], left, top, right, bottom)
}
"""

# Where the code runs, its language for Markdown, and the lines.
_PROGRAMS = (
    ("Python, with `pip install ai-edge-litert numpy pillow`", "python", _PYTHON),
    ("Kotlin on Android, with `com.google.ai.edge.litert:litert`", "kotlin", _KOTLIN),
    ("Swift on iOS, with `TensorFlowLiteSwift`", "swift", _SWIFT),
)


def onnx_program(size: int) -> str:
    """Ten lines of Python for the ONNX file of a network that sees `size` × `size` pixels."""
    return _ONNX.strip().replace("TWICE", str(2 * size))


def programs(size: int) -> str:
    """The programs as Markdown, for a network that sees `size` × `size` pixels."""
    return "\n\n".join(
        f"### {title}\n```{language}\n{code.strip().replace('SIZE', str(size))}\n```"
        for title, language, code in _PROGRAMS
    )
