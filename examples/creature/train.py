"""Trains the two networks of a creature and writes mind.onnx, looks.onnx, founders.json and calib.npy beside this file.

    python3 train.py          # torch 2.15.0, onnx 1.23.2, numpy 2.4.6; seeded, one thread, some two minutes

mind: senses [8] and state [8] to scores of six actions and the next state, by two layers whose weights are *inputs*: the genes of a
creature. Three founders are trained to imitate three temperaments whose habits depend on what befell them.
looks: twelve genes to a picture of 24 x 12 pixels, the left half of a face; it learns from drawings made by `draw`.
"""
import json
import math
import pathlib

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent
ACTIONS = ["rest", "eat", "play", "strike", "guard", "dodge"]
UNIT = 127  # of senses, state and hidden values
GENE = 32  # a weight of 1
MOST = 96  # greatest gene

torch.manual_seed(8)
torch.set_num_threads(1)
rng = np.random.default_rng(8)


# mind


def rounded(x, unit, most):
    """Rounds to steps of 1/unit within ±most/unit; gradients pass through."""
    q = torch.clamp(torch.floor(x * unit + 0.5), -most, most) / unit
    return x + (q - x).detach()


class Mind(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.w1 = torch.nn.Parameter(torch.randn(16, 16) * 0.4)
        self.w2 = torch.nn.Parameter(torch.randn(16, 14) * 0.4)

    def genes(self):
        return rounded(self.w1, GENE, MOST), rounded(self.w2, GENE, MOST)

    def forward(self, senses):
        """Senses [N, T, 8] to scores [N, T, 6] from a state of zeros."""
        w1, w2 = self.genes()
        state = torch.zeros(senses.shape[0], 8)
        scores = []
        for t in range(senses.shape[1]):
            x = torch.cat([senses[:, t], state], 1)
            h = rounded(torch.tanh(x @ w1), UNIT, UNIT)
            o = h @ w2
            scores.append(o[:, :6])
            state = rounded(torch.tanh(o[:, 6:]), UNIT, UNIT)
        return torch.stack(scores, 1)


def lives(n, steps, bold, shy, merry):
    """Senses of n random lives and the habits of a temperament at each step.

    Senses: one, hunger, energy, mood, touch, invitation to play, own health and the foe's in a fight (0 outside one).
    """
    senses = np.zeros((n, steps, 8), np.float32)
    habits = np.zeros((n, steps, 6), np.float32)
    trust, rough = np.zeros(n), np.zeros(n)
    kind = rng.random((n, 3))  # how often one is petted, invited, fought
    kind /= kind.sum(1, keepdims=True)
    need = rng.random((n, 3))
    for t in range(steps):
        need = np.clip(need + rng.normal(0, 0.15, (n, 3)), 0, 1)
        hunger, energy, mood = need.T
        u = rng.random(n)
        pet = u < 0.8 * kind[:, 0]
        play = (~pet) & (u < 0.8 * (kind[:, 0] + kind[:, 1]))
        fight = (~pet) & (~play) & (u < 0.8)
        touch = np.where(pet, np.where(rng.random(n) < 0.85, 1, -1) * rng.uniform(0.5, 1, n), 0)
        own = np.where(fight, rng.uniform(0.1, 1, n), 0)
        foe = np.where(fight, rng.uniform(0.1, 1, n), 0)
        trust = 0.94 * trust + 0.1 * touch + 0.04 * play
        rough = 0.94 * rough + 0.08 * fight
        senses[:, t] = np.stack([np.ones(n), hunger, energy, mood, touch, play, own, foe], 1)
        calm = np.where(fight, -4.0, 0.0)
        habits[:, t] = np.stack(
            [
                calm + 4 * (0.6 - energy) + shy,
                calm + 4 * (hunger - 0.5),
                calm + 2 * merry + 3 * play * merry + 3 * trust + mood - 2 * rough,
                np.where(fight, 2 * bold + 4 * rough - 2 * trust + 2 * (own - foe), -3),
                np.where(fight, 1 + 2 * shy + 2 * trust - 2 * rough, -2 + 2 * rough + shy),
                np.where(fight, 1 + 2 * merry + 2 * (foe - own) - rough, -2 + 2 * shy - 2 * trust),
            ],
            1,
        )
    return torch.from_numpy(np.round(senses * UNIT) / UNIT).float(), torch.from_numpy(habits)


def train_mind(bold, shy, merry):
    mind = Mind()
    opt = torch.optim.Adam(mind.parameters(), 0.01)
    steps = 600
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, steps)
    for i in range(steps):
        senses, habits = lives(128, 40, bold, shy, merry)
        loss = -(torch.softmax(habits, 2) * torch.log_softmax(mind(senses), 2)).sum(2).mean()
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(mind.parameters(), 1.0)
        opt.step()
        sched.step()
    with torch.no_grad():
        senses, habits = lives(512, 60, bold, shy, merry)
        same = (mind(senses).argmax(2) == habits.argmax(2)).float().mean().item()
        genes = [(w * GENE).round().to(torch.int8).numpy() for w in mind.genes()]
    print(f"bold {bold} shy {shy} merry {merry}: loss {loss.item():.3f}, the same action as its teacher {100 * same:.1f} %")
    return genes


def write_mind():
    """Genes and values are int8 with the scales of training; scores are int16."""
    i8, i16 = TensorProto.INT8, TensorProto.INT16
    scale = lambda name, v: numpy_helper.from_array(np.array(v, np.float32), name)
    init = [scale("unit", 1 / UNIT), scale("gene", 1 / GENE), scale("wide", 1 / 1024)]
    init += [numpy_helper.from_array(np.array(0, np.int8), "zero8"), numpy_helper.from_array(np.array(0, np.int16), "zero16")]
    init += [numpy_helper.from_array(np.array([6, 8], np.int64), "parts")]
    nodes = []

    def add(op, inputs, *outputs, **attrs):
        nodes.append(helper.make_node(op, inputs, list(outputs), **attrs))

    for name, s in [("senses", "unit"), ("state", "unit"), ("genes1", "gene"), ("genes2", "gene")]:
        add("DequantizeLinear", [name, s, "zero8"], name + "_f")
    add("Concat", ["senses_f", "state_f"], "x", axis=1)
    add("MatMul", ["x", "genes1_f"], "a")
    add("QuantizeLinear", ["a", "wide", "zero16"], "a_q")
    add("DequantizeLinear", ["a_q", "wide", "zero16"], "a_f")
    add("Tanh", ["a_f"], "h")
    add("QuantizeLinear", ["h", "unit", "zero8"], "h_q")
    add("DequantizeLinear", ["h_q", "unit", "zero8"], "h_f")
    add("MatMul", ["h_f", "genes2_f"], "o")
    add("QuantizeLinear", ["o", "wide", "zero16"], "o_q")
    add("DequantizeLinear", ["o_q", "wide", "zero16"], "o_f")
    add("Split", ["o_f", "parts"], "scores_f", "s_f", axis=1)
    add("QuantizeLinear", ["scores_f", "wide", "zero16"], "scores")
    add("Tanh", ["s_f"], "t")
    add("QuantizeLinear", ["t", "unit", "zero8"], "next")
    info = helper.make_tensor_value_info
    inputs = [info("senses", i8, [1, 8]), info("state", i8, [1, 8]), info("genes1", i8, [16, 16]), info("genes2", i8, [16, 14])]
    graph = helper.make_graph(nodes, "mind", inputs, [info("scores", i16, [1, 6]), info("next", i8, [1, 8])], init)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, HERE / "mind.onnx")


# looks

WIDE, HIGH = 12, 24


def draw(g):
    """Left halves of faces [N, HIGH, WIDE, 3] in 0…1 for genes g [N, 12] in -1…1."""
    y, x = np.meshgrid((np.arange(HIGH) + 0.5) / HIGH, (np.arange(WIDE) + 0.5) / (2 * WIDE), indexing="ij")
    x = (0.5 - x)[None]  # distance from the middle
    y = y[None]
    p = (g[:, :, None, None] + 1) / 2  # 0…1
    hue = lambda v: np.stack([0.55 + 0.45 * np.cos(2 * math.pi * (v + s)) for s in (0, 1 / 3, 2 / 3)], -1)
    soft = lambda d, w=0.03: 1 / (1 + np.exp(np.clip(d / w, -30, 30)))
    body = soft(((x / (0.22 + 0.2 * p[:, 0])) ** 2 + ((y - 0.58) / (0.26 + 0.12 * p[:, 1])) ** 2) - 1, 0.08)
    lean = 0.1 + 0.2 * p[:, 2]
    ear = soft((np.abs(x - lean) / (0.05 + 0.06 * p[:, 3]) + np.abs(y - 0.25) / (0.12 + 0.16 * p[:, 4])) - 1, 0.1)
    skin = hue(p[:, 5])
    stripes = 0.5 + 0.5 * np.cos(2 * math.pi * (2 + 4 * p[:, 6]) * y)
    skin = skin * (1 - 0.45 * (p[:, 7] * stripes)[..., None])
    belly = soft(((x / 0.16) ** 2 + ((y - 0.72) / 0.14) ** 2) - 1, 0.15) * p[:, 8]
    skin = skin + belly[..., None] * (1 - skin) * 0.8
    apart = 0.08 + 0.1 * p[:, 9]
    size = 0.04 + 0.05 * p[:, 10]
    eye = soft(np.sqrt((x - apart) ** 2 + (y - 0.5) ** 2) - size, 0.015)
    pupil = soft(np.sqrt((x - apart) ** 2 + (y - 0.5) ** 2) - 0.5 * size, 0.015)
    iris = hue(p[:, 11])
    sky = np.array([0.93, 0.95, 0.97])
    img = sky * (1 - np.maximum(body, ear)[..., None]) + skin * np.maximum(body, ear)[..., None]
    img = img * (1 - eye[..., None]) + eye[..., None] * (0.5 + 0.5 * iris)
    img = img * (1 - pupil[..., None]) + 0.05 * pupil[..., None]
    mouth = soft(np.abs(y - 0.66 - 0.5 * x**2) - 0.012, 0.01) * soft(x - 0.07, 0.02)
    return np.clip(img * (1 - 0.7 * mouth[..., None]), 0, 1).astype(np.float32)


def train_looks():
    n = 16384
    genes = rng.uniform(-1, 1, (n, 12)).astype(np.float32)
    pixels = draw(genes).reshape(n, -1)
    net = torch.nn.Sequential(
        torch.nn.Linear(12, 64), torch.nn.ReLU(), torch.nn.Linear(64, 40), torch.nn.ReLU(), torch.nn.Linear(40, HIGH * WIDE * 3)
    )
    opt = torch.optim.Adam(net.parameters(), 2e-3)
    epochs = 40
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, epochs * (n // 128))
    x, y = torch.from_numpy(genes), torch.from_numpy(pixels)
    for _ in range(epochs):
        for idx in torch.randperm(n).split(128):
            loss = ((net(x[idx]) - y[idx]) ** 2).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
    print(f"looks: root mean square error {math.sqrt(loss.item()):.3f} of 1")
    init, nodes, last = [], [], "genes"
    for i, layer in enumerate([m for m in net if isinstance(m, torch.nn.Linear)]):
        init.append(numpy_helper.from_array(layer.weight.detach().numpy().T.copy(), f"w{i}"))
        init.append(numpy_helper.from_array(layer.bias.detach().numpy(), f"b{i}"))
        out = f"d{i}" if i < 2 else "pixels"
        nodes.append(helper.make_node("Gemm", [last, f"w{i}", f"b{i}"], [out]))
        last = out
        if i < 2:
            nodes.append(helper.make_node("Relu", [out], [f"r{i}"]))
            last = f"r{i}"
    info = helper.make_tensor_value_info
    f32 = TensorProto.FLOAT
    graph = helper.make_graph(nodes, "looks", [info("genes", f32, [1, 12])], [info("pixels", f32, [1, HIGH * WIDE * 3])], init)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), HERE / "looks.onnx")
    np.save(HERE / "calib.npy", rng.integers(-MOST, MOST + 1, (128, 12)).astype(np.int8))


def main():
    write_mind()
    founders = {}
    for name, temper in {"bold": (1, 0, 0), "shy": (-1, 1, 0), "merry": (0, 0, 1)}.items():
        w1, w2 = train_mind(*temper)
        looks = rng.integers(-MOST, MOST + 1, 12)
        founders[name] = {"looks": looks.tolist(), "genes1": w1.flatten().tolist(), "genes2": w2.flatten().tolist()}
    (HERE / "founders.json").write_text(json.dumps(founders) + "\n")
    train_looks()


if __name__ == "__main__":
    main()
