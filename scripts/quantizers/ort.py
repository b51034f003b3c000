"""onnxruntime's static quantizer beside samebit's converter: the same calibration samples, the same test samples.

ort.py render FOLDER          text lines and pages for the OCR models, as calib and test arrays
ort.py quantize < job.json    quantizes with every option set and prints the best one's figures as JSON
ort.py run < job.json         stores the float outputs of a model for an array of samples, one file an output
"""
import itertools
import json
import os
import sys
import tempfile

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WORDS = (
    "integer models give the same bits on every machine quick brown fox jumps over lazy dog total 1024 invoice "
    "number date amount paid street city country north south open close price weight height length 37.50 2024 "
    "please return this part with your payment thank you for reading carefully page section figure table"
).split()


def line(rng, height, width, size):
    """One line of words in Pillow's own font, dark on light or light on dark, slightly noisy."""
    paper, ink = (rng.integers(200, 256), rng.integers(0, 70)) if rng.random() < 0.7 else (rng.integers(0, 60), rng.integers(190, 256))
    image = Image.new("RGB", (width, height), (int(paper),) * 3)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size)
    x = 4
    while True:
        word = WORDS[rng.integers(len(WORDS))]
        if x + draw.textlength(word, font=font) > width - 4:
            break
        draw.text((x, (height - size) / 2 - 3), word, fill=(int(ink),) * 3, font=font)
        x += draw.textlength(word + " ", font=font)
    return image


def array(image, rng, mean, std):
    x = np.asarray(image, np.float32) + rng.normal(0, 4, (image.height, image.width, 3))
    x = np.clip(np.floor(x + 0.5), 0, 255) / 255
    return ((x - mean) / std).transpose(2, 0, 1).astype(np.float32)


def render(folder):
    half = (np.float32(0.5), np.float32(0.5))
    imagenet = (np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32))
    for name, height, width, (mean, std) in (("cls", 48, 192, half), ("rec", 48, 320, half), ("det", 320, 320, imagenet)):
        for part, count, seed in (("calib", 16, 1), ("test", 24 if name != "det" else 8, 2)):
            rng = np.random.default_rng([seed, height, width])
            out = []
            for i in range(count):
                if name == "det":
                    page = Image.new("RGB", (width, height), (245, 245, 245))
                    for y in range(8, height - 40, 44):
                        page.paste(line(rng, 40, width - 16, int(rng.integers(16, 30))), (8, y))
                    out.append(array(page, rng, mean, std))
                else:
                    image = line(rng, height, width, int(rng.integers(22, 34)))
                    out.append(array(image.rotate(180) if name == "cls" and i % 2 else image, rng, mean, std))
            np.save(os.path.join(folder, f"{name}-{part}.npy"), np.stack(out))
            if part == "test":
                np.save(os.path.join(folder, f"{name}-batches.npy"), np.stack(out)[:, None])


def session(path):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def outputs(path, name, samples):
    s = session(path)
    runs = [s.run(None, {name: x}) for x in samples]
    return [o.name for o in s.get_outputs()], [np.stack([r[i] for r in runs]) for i in range(len(runs[0]))]


def sqnr(reference, y):
    noise = float(np.sum((reference.astype(np.float64) - y) ** 2))
    return 10 * np.log10(float(np.sum(reference.astype(np.float64) ** 2)) / noise) if noise > 0 else 200.0


def quantize(job):
    import onnx
    import onnx.version_converter
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    calib, test = np.load(job["calib"]), np.load(job["test"])
    name = job["input"]
    with tempfile.TemporaryDirectory() as folder:
        plain, ready = os.path.join(folder, "plain.onnx"), os.path.join(folder, "ready.onnx")
        model = onnx.load(job["model"])
        opset = next(o for o in model.opset_import if o.domain == "")
        if opset.version < 13:
            try:
                model = onnx.version_converter.convert_version(model, 13)
            except Exception:  # stays as it is: per tensor only
                pass
        kept = {t.name for t in model.graph.initializer}
        inputs = [i for i in model.graph.input if i.name not in kept]
        del model.graph.input[:]
        model.graph.input.extend(inputs)
        for dim, size in zip(model.graph.input[0].type.tensor_type.shape.dim, calib.shape[1:]):
            dim.Clear()
            dim.dim_value = size
        onnx.save(model, plain)
        try:
            quant_pre_process(plain, ready, skip_symbolic_shape=True)
        except Exception:
            ready = plain
        names, reference = outputs(job["model"], name, test)

        class Reader(CalibrationDataReader):
            def __init__(self):
                self.rows = iter(calib)

            def get_next(self):
                row = next(self.rows, None)
                return None if row is None else {name: row}

        best = None
        tried = []
        methods = {"minmax": CalibrationMethod.MinMax, "percentile": CalibrationMethod.Percentile, "entropy": CalibrationMethod.Entropy}
        for channel, activation, method in itertools.product((True, False), ("QUInt8", "QInt8"), job["methods"]):
            path = os.path.join(folder, "q.onnx")
            label = f"{'per-channel' if channel else 'per-tensor'}, {activation}, {method}"
            extra = {"CalibPercentile": 99.99} if method == "percentile" else {}
            try:
                quantize_static(
                    ready, path, Reader(), quant_format=QuantFormat.QDQ, per_channel=channel,
                    activation_type=getattr(QuantType, activation), weight_type=QuantType.QInt8,
                    calibrate_method=methods[method], extra_options=extra,
                )
                dB = [sqnr(a, b) for a, b in zip(reference, outputs(path, name, test)[1])]
            except Exception as error:  # an option set that its quantizer does not take
                tried.append({"options": label, "error": str(error).splitlines()[0][:200] if str(error) else type(error).__name__})
                continue
            own = {"options": label, "dB": dB, "bytes": os.path.getsize(path)}
            tried.append(own)
            if best is None or np.mean(dB) > np.mean(best["dB"]):
                best = own
        for o, y in zip(names, reference):
            np.save(os.path.join(job["out"], f"{o.replace('/', '_')}.npy"), y)
        return {"names": names, "best": best, "tried": tried}


def run(job):
    names, values = outputs(job["model"], job["input"], np.load(job["test"]))
    for o, y in zip(names, values):
        np.save(os.path.join(job["out"], f"{o.replace('/', '_')}.npy"), y)
    return {"names": names}


if __name__ == "__main__":
    if sys.argv[1] == "render":
        render(sys.argv[2])
    else:
        import logging

        logging.disable(logging.WARNING)
        print("\n" + json.dumps({"quantize": quantize, "run": run}[sys.argv[1]](json.load(sys.stdin))))
