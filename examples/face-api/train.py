"""Draws faces, trains the recogniser, and writes model.onnx, calib.npy, the held-out faces and what the float network makes of them.

    python3 examples/face-api/train.py YUNET .

YUNET is the detector's ONNX file (libfacedetection, yunet_n_320_320, Apache-2.0). Python 3.11, torch 2.15.0, onnx 1.23.2,
onnxruntime 1.32.0, numpy 2.4.6, pillow 13.0.0; one thread, seeded. About ten minutes.

The recogniser learns to tell 500 drawn people apart with a margin between their directions (CosFace); it is measured on others, whom the detector finds.
"""

import json
import sys
import time

import numpy as np
import onnxruntime
import torch
from PIL import Image
from torch import nn

from faces import CROP, HEIGHT, WIDTH, Person, box, crop, draw

PEOPLE, PICTURES = 500, 12
OTHERS, SHOTS = 40, 8
STEPS, BATCH = 3_000, 64
SCALE, MARGIN = 20.0, 0.25

torch.manual_seed(5)
torch.set_num_threads(1)


def detect(detector, picture):
    """Middle of the eyes and of the mouth of the surest face, and how sure it is."""
    x = np.zeros((1, 3, 320, 320), np.float32)
    x[0, :, : 2 * HEIGHT] = picture.repeat(2, 0).repeat(2, 1)
    names = [o.name for o in detector.get_outputs()]
    out = dict(zip(names, detector.run(None, {"input": x})))
    best, marks = 0, None
    for stride in (8, 16, 32):
        score = out[f"cls_{stride}"][0, :, 0] * out[f"obj_{stride}"][0, :, 0]
        cell = int(score.argmax())
        if score[cell] > best:
            row, column = divmod(cell, 320 // stride)
            k = (out[f"kps_{stride}"][0, cell].reshape(5, 2) + (column, row)) * stride / 2
            best, marks = float(score[cell]), ((k[0] + k[1]) / 2, (k[3] + k[4]) / 2)
    return best, marks


class Recogniser(nn.Module):
    def __init__(self):
        super().__init__()
        layers, width = [], 1
        for wide, stride in ((24, 2), (40, 2), (64, 2), (64, 1), (96, 2)):
            layers += [nn.Conv2d(width, wide, 3, stride, 1), nn.BatchNorm2d(wide), nn.ReLU()]
            width = wide
        self.body = nn.Sequential(*layers)
        self.embed = nn.Linear(96 * 9, 48)

    def forward(self, x):
        return self.embed(self.body(x).flatten(1))


def tensor(crops):
    return torch.from_numpy(crops.astype(np.float32) / 255 - 0.5).unsqueeze(1)


def error_rate(embeddings, people):
    """Equal error rate over all pairs, and the cosine at which it is."""
    e = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    cosines = e @ e.T
    i, j = np.triu_indices(len(e), 1)
    same, scores = people[i] == people[j], cosines[i, j]
    order = np.argsort(-scores)
    accepted = np.cumsum(~same[order]) / (~same).sum()
    rejected = 1 - np.cumsum(same[order]) / same.sum()
    at = int(np.argmin(np.abs(accepted - rejected)))
    return float((accepted[at] + rejected[at]) / 2), float(scores[order][at])


def sheet(path, pictures, columns):
    rows = [np.concatenate(list(pictures[i : i + columns]), 1) for i in range(0, len(pictures), columns)]
    Image.fromarray(np.concatenate(rows, 0)).save(path, optimize=True)


def main():
    out = sys.argv[2]
    detector = onnxruntime.InferenceSession(sys.argv[1])
    rng = np.random.default_rng(21)
    begun = time.time()
    crops, labels = [], []
    for i in range(PEOPLE):
        person = Person(rng)
        for _ in range(PICTURES):
            picture, marks = draw(person, rng)
            for _ in range(2):
                # Where a detector puts its marks: up to 1.2 pixels beside.
                crops.append(crop(picture, box(*(np.asarray(m) + rng.normal(0, 1.2, 2) for m in marks))))
                labels.append(i)
    x, y = tensor(np.stack(crops)), torch.tensor(labels)
    print(f"{len(x)} crops of {PEOPLE} people, {time.time() - begun:.0f} s", flush=True)
    model, centres = Recogniser(), nn.Parameter(torch.randn(PEOPLE, 48) * 0.1)
    print(sum(p.numel() for p in model.parameters()), "parameters", flush=True)
    optimiser = torch.optim.AdamW([*model.parameters(), centres], 2e-3, weight_decay=5e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, STEPS, pct_start=0.15)
    mean = 0.0
    for step in range(STEPS):
        rows = torch.randint(len(x), (BATCH,))
        cosines = nn.functional.normalize(model(x[rows])) @ nn.functional.normalize(centres).T
        margin = MARGIN * min(1.0, step / (STEPS / 3))
        logits = SCALE * (cosines - margin * nn.functional.one_hot(y[rows], PEOPLE))
        loss = nn.functional.cross_entropy(logits, y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        mean += loss.item() / 300
        if step % 300 == 299:
            print(f"step {step + 1}: loss {mean:.3f}, {time.time() - begun:.0f} s", flush=True)
            mean = 0.0
    model.eval()
    with torch.no_grad():
        # Embeddings of about one unit of length, so that their integers use the range.
        model.embed.weight /= (length := model(x[:500]).norm(dim=1).mean())
        model.embed.bias /= length
        # The accepted cosine: one of a thousand pairs of different training people is above it.
        pick = torch.arange(0, len(x), 8)
        e = nn.functional.normalize(model(x[pick])).numpy()
        i, j = np.triu_indices(len(e), 1)
        other = y[pick].numpy()[i] != y[pick].numpy()[j]
        threshold = float(np.quantile((e @ e.T)[i, j][other], 0.999))

    rng = np.random.default_rng(22)
    held, scenes, people, seen = [], [], [], 0
    for i in range(OTHERS):
        person = Person(rng)
        for _ in range(SHOTS):
            picture, _ = draw(person, rng)
            sure, marks = detect(detector, picture)
            seen += 1
            if sure < 0.25:
                continue
            held.append(crop(picture, box(*marks)))
            scenes.append(picture)
            people.append(i)
    held, people = np.stack(held), np.asarray(people)
    with torch.no_grad():
        embeddings = model(tensor(held)).numpy()
    rate, cosine = error_rate(embeddings, people)
    print(f"detected {len(held)} of {seen}; equal error rate {100 * rate:.2f} % at cosine {cosine:.3f}; threshold {threshold:.3f}", flush=True)
    columns = 16
    blank = [np.zeros((CROP, CROP), np.uint8)] * (-len(held) % columns)
    sheet(f"{out}/held-out.png", [*held, *blank], columns)
    # Six people with three pictures each, for the story.
    story = [n for i in range(OTHERS) if (people == i).sum() >= 5 for n in np.flatnonzero(people == i)[:3]][:18]
    sheet(f"{out}/scenes.png", [scenes[n] for n in story], 3)
    with open(f"{out}/float.json", "w") as f:
        json.dump({"people": people.tolist(), "detected": [len(held), seen], "errorRate": rate, "threshold": threshold}, f)
    np.save(f"{out}/calib.npy", np.stack(crops)[rng.permutation(len(crops))[:256], None])
    torch.onnx.export(model, (tensor(held[:1]),), f"{out}/model.onnx", input_names=["face"], output_names=["embedding"], opset_version=17, dynamo=False)


if __name__ == "__main__":
    main()
