"""Trains the detector and writes model.onnx, calib.npy, the held-out pictures and what the float network says of them.

    python3 examples/antifake/train.py SOURCES examples/antifake

SOURCES holds the files that pictures.py lists, by their paths there. Python 3.11, torch 2.15.0, onnx 1.23.2, numpy 2.4.6,
pillow 13.0.0; one thread, seeded. About fifteen minutes.

The network: five-by-five filters that begin as the high-pass filters of steganalysis (noise residuals), a clip, four
convolutions, and at every place of 8 × 8 pixels its features beside those of the whole picture: what a place does not
share with the rest is what gives a forgery away. The score is the greatest mean of 3 × 3 places.
"""

import json
import sys
import time

import numpy as np
import torch
from PIL import Image
from torch import nn

from pictures import HELD_OUT, KINDS, SIZE, SOURCES, Camera, jpeg, load, many

TRAIN = 10_000
CHECK = 400
SHIPPED = 60
FRAMES = 4
SEQUENCES = 24
STEPS = 3_600
BATCH = 24

torch.manual_seed(11)
torch.set_num_threads(1)


def residual_filters(count):
    """First and second differences along four directions, and the two square ones of Fridrich and Kodovský."""
    square3 = np.array([[-1, 2, -1], [2, -4, 2], [-1, 2, -1]]) / 4
    square5 = np.array([[-1, 2, -2, 2, -1], [2, -6, 8, -6, 2], [-2, 8, -12, 8, -2], [2, -6, 8, -6, 2], [-1, 2, -2, 2, -1]]) / 12
    out = np.zeros((count, 1, 5, 5), np.float32)
    out[0, 0, 1:4, 1:4], out[1, 0] = square3, square5
    for i, (dy, dx) in enumerate(((0, 1), (1, 0), (1, 1), (1, -1))):
        out[2 + i, 0, 2, 2], out[2 + i, 0, 2 + dy, 2 + dx] = -1, 1
    out[6, 0, 2, 1:4] = out[7, 0, 1:4, 2] = (0.5, -1, 0.5)
    return torch.from_numpy(out)


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.residual = nn.Conv2d(1, 8, 5, padding=2, bias=False)
        self.residual.weight.data = residual_filters(8) * 255 / 4
        self.body = nn.Sequential(
            nn.Conv2d(8, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 24, 3, 2, 1), nn.BatchNorm2d(24), nn.ReLU(),
            nn.Conv2d(24, 40, 3, 2, 1), nn.BatchNorm2d(40), nn.ReLU(),
            nn.Conv2d(40, 40, 3, 1, 1), nn.BatchNorm2d(40), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Sequential(nn.Conv2d(120, 48, 1), nn.ReLU(), nn.Conv2d(48, 1, 1))

    def heat(self, x):
        r = torch.clip(self.residual(x), -3, 3)
        f = self.body(r)
        whole = f.mean((2, 3), keepdim=True)
        return self.head(torch.cat([f, torch.abs(f - whole), whole.expand_as(f)], 1))

    def forward(self, x):
        places = nn.functional.avg_pool2d(self.heat(x), 3, 1)
        return nn.functional.max_pool2d(places, SIZE // 8 - 2).flatten(1)


def tensor(pictures):
    return torch.from_numpy(pictures.astype(np.float32) / 255).unsqueeze(1)


def auc(authentic, forged):
    a, f = np.asarray(authentic)[:, None], np.asarray(forged)[None]
    return float((f > a).mean() + (f == a).mean() / 2)


def scores(model, pictures):
    with torch.no_grad():
        return np.concatenate([model(tensor(pictures[i : i + 50]))[:, 0].numpy() for i in range(0, len(pictures), 50)])


def error_level(picture):
    """The naive baseline: how much the worst place changes when the picture is compressed once more, beside the mean place."""
    change = np.abs(picture.astype(np.float32) - jpeg(picture, 90))
    places = change.reshape(SIZE // 16, 16, SIZE // 16, 16).mean((1, 3))
    return float((places.max() + 0.1) / (places.mean() + 0.1))


def sheet(path, pictures, columns):
    rows = [np.concatenate(list(pictures[i : i + columns]), 1) for i in range(0, len(pictures), columns)]
    Image.fromarray(np.concatenate(rows, 0)).save(path, optimize=True)


def train(model, pictures, masks, labels):
    x, m, y = torch.from_numpy(pictures), torch.from_numpy(masks), torch.from_numpy(labels)
    optimiser = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, STEPS, pct_start=0.1)
    generator = torch.Generator().manual_seed(3)
    bce = nn.functional.binary_cross_entropy_with_logits
    begun, mean = time.time(), 0.0
    model.train()
    for step in range(STEPS):
        rows = torch.randint(len(x), (BATCH,), generator=generator)
        px, pm = x[rows].float().unsqueeze(1) / 255, m[rows].unsqueeze(1)
        turn = int(torch.randint(4, (1,), generator=generator))
        if turn & 1:
            px, pm = px.flip(3), pm.flip(3)
        if turn & 2:
            px, pm = px.transpose(2, 3), pm.transpose(2, 3)
        heat = model.heat(px)
        score = nn.functional.avg_pool2d(heat, 3, 1).amax((1, 2, 3))
        loss = 2 * bce(heat, pm, pos_weight=torch.tensor(2.0)) + bce(score, y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        mean += loss.item() / 300
        if step % 300 == 299:
            print(f"step {step + 1}: loss {mean:.4f}, {time.time() - begun:.0f} s", flush=True)
            mean = 0.0
    model.eval()


def report(name, authentic, forged):
    kinds = ", ".join(f"{k} {auc(authentic, forged[i :: len(KINDS)]):.3f}" for i, k in enumerate(KINDS))
    print(f"{name}: AUC {auc(authentic, forged):.4f} ({kinds})", flush=True)


def main():
    folder, out = sys.argv[1:3]
    camera = Camera(load(folder, [n for n in SOURCES if n not in HELD_OUT]), 1)
    authentic, nothing = many(camera, TRAIN // 2, False)
    forged, masks = many(camera, TRAIN // 2, True)
    labels = np.repeat(np.array([0, 1], np.float32), TRAIN // 2)
    model = Detector()
    print(sum(p.numel() for p in model.parameters()), "parameters", flush=True)
    train(model, np.concatenate([authentic, forged]), np.concatenate([nothing, masks]), labels)

    other = Camera(load(folder, HELD_OUT), 2)
    a, f = many(other, CHECK, False)[0], many(other, CHECK, True)[0]
    sa, sf = scores(model, a), scores(model, f)
    report("network", sa, sf)
    report("error level", [error_level(p) for p in a], [error_level(p) for p in f])
    quiet = [other.sequence() for _ in range(SEQUENCES)]
    lying = [other.sequence(KINDS[i % len(KINDS)]) for i in range(SEQUENCES)]
    report("sequences", [scores(model, s).mean() for s in quiet], [scores(model, s).mean() for s in lying])

    n = SHIPPED
    sheet(f"{out}/held-out.png", np.concatenate([a[:n], f[:n]]), 12)
    frames = np.concatenate([*quiet[:8], *lying[:8]])
    sheet(f"{out}/sequences.png", frames, FRAMES)
    pick = np.random.default_rng(5).permutation(TRAIN)[:128]
    np.save(f"{out}/calib.npy", np.concatenate([authentic, forged])[pick][:, None])
    if "--all" in sys.argv:
        np.save(f"{out}/all.npy", np.concatenate([a, f]))
        json.dump([float(s) for s in np.concatenate([sa, sf])], open(f"{out}/all.json", "w"))
    # The threshold: one of twenty authentic training pictures is above it.
    threshold = float(np.quantile(scores(model, many(camera, CHECK, False)[0]), 0.95))
    print(f"threshold {threshold:.3f}: {(sa > threshold).mean():.3f} of the authentic, {(sf > threshold).mean():.3f} of the forged")
    with open(f"{out}/float.json", "w") as file:
        stored = {"threshold": threshold, "authentic": sa[:n], "forged": sf[:n], "frames": scores(model, frames)}
        stored["errorLevel"] = {"authentic": [error_level(p) for p in a[:n]], "forged": [error_level(p) for p in f[:n]]}
        json.dump(stored, file, default=lambda v: [round(float(x), 5) for x in v])
    path = f"{out}/model.onnx"
    torch.onnx.export(model, (tensor(a[:1]),), path, input_names=["picture"], output_names=["score"], opset_version=17, dynamo=False)


if __name__ == "__main__":
    main()
