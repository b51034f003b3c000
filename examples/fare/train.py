"""Makes rides, trains the regression network, and writes model.onnx, calib.npy, test.npy and float_outputs.npy beside this file.

    python3 train.py          # torch 2.15.0, onnx 1.23.2, numpy 2.4.6; seeded, one thread, under a minute

The rides are synthetic: `tariff` is a tariff as cities publish them, times a surge by demand and supply; `rides` says how they scatter.
"""
import pathlib

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent

torch.manual_seed(33)
torch.set_num_threads(1)
rng = np.random.default_rng(33)


def tariff(km, minutes, waiting, free, hour):
    """Price: 3 + 1.25 a kilometre + 0.35 a minute, at least 6; a fifth more at night; up to 2.5 times where more wait than cars are free."""
    price = np.maximum(3 + 1.25 * km + 0.35 * minutes, 6)
    night = np.where((hour >= 22) | (hour < 6), 1.2, 1.0)
    surge = np.clip(0.8 + 0.35 * waiting / np.maximum(free, 1), 1, 2.5)
    return price * night * surge


def rides(n):
    """Features [n, 6]: kilometres, minutes, people waiting, free cars, sine and cosine of the hour; prices that were paid [n].

    Speed falls at rush hours and with demand; what was paid scatters by 6 % about the tariff (detours, rounding, tips left out).
    """
    hour = rng.integers(0, 24 * 60, n) / 60
    rush = np.exp(-((hour - 8.5) ** 2) / 3) + np.exp(-((hour - 18) ** 2) / 4)
    km = np.clip(rng.gamma(1.6, 3.5, n), 0.5, 30)
    minutes = np.clip(km / np.clip(rng.normal(32 - 14 * rush, 4), 8, 50) * 60 + 2, 2, 90)
    waiting = rng.poisson(6 + 22 * rush)
    free = 1 + rng.poisson(14 - 6 * rush)
    angle = 2 * np.pi * hour / 24
    x = np.stack([km, minutes, np.minimum(waiting, 60), np.minimum(free, 40), np.sin(angle), np.cos(angle)], 1)
    paid = tariff(km, minutes, waiting, free, hour) * rng.lognormal(0, 0.06, n)
    return x.astype(np.float32), paid.astype(np.float32)


SCALE = np.array([30, 90, 60, 40, 1, 1], np.float32)


def main():
    x, y = rides(60000)
    net = torch.nn.Sequential(
        torch.nn.Linear(6, 48), torch.nn.ReLU(), torch.nn.Linear(48, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1)
    )
    opt = torch.optim.Adam(net.parameters(), 3e-3)
    epochs, batch = 25, 256
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, epochs * (len(x) // batch))
    xs, ys = torch.from_numpy(x / SCALE), torch.from_numpy(y)[:, None] / 50
    for _ in range(epochs):
        for idx in torch.randperm(len(x))[: len(x) // batch * batch].split(batch):
            loss = torch.nn.functional.smooth_l1_loss(net(xs[idx]), ys[idx], beta=0.1)
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
    linear = [m for m in net if isinstance(m, torch.nn.Linear)]
    weights = [m.weight.detach().numpy().copy() for m in linear]
    biases = [m.bias.detach().numpy().copy() for m in linear]
    weights[-1] *= 50
    biases[-1] *= 50
    init, nodes, last = [], [], "ride"
    for i, (w, b) in enumerate(zip(weights, biases)):
        init += [numpy_helper.from_array(w.T.copy(), f"w{i}"), numpy_helper.from_array(b, f"b{i}")]
        out = "price" if i == 2 else f"d{i}"
        nodes.append(helper.make_node("Gemm", [last, f"w{i}", f"b{i}"], [out]))
        last = out
        if i < 2:
            nodes.append(helper.make_node("Relu", [out], [f"r{i}"]))
            last = f"r{i}"
    info = helper.make_tensor_value_info
    f32 = TensorProto.FLOAT
    graph = helper.make_graph(nodes, "fare", [info("ride", f32, [1, 6])], [info("price", f32, [1, 1])], init)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, HERE / "model.onnx")
    np.save(HERE / "calib.npy", x[:512] / SCALE)
    tx, ty = rides(1000)
    np.save(HERE / "test.npy", np.concatenate([tx, ty[:, None]], 1))
    with torch.no_grad():
        out = net(torch.from_numpy(tx / SCALE)).numpy()[:, 0] * 50
    np.save(HERE / "float_outputs.npy", out.astype(np.float32))
    print(f"mean absolute error {np.abs(out - ty).mean():.4f}, of the mean price {np.abs(ty.mean() - ty).mean():.4f}")


if __name__ == "__main__":
    main()
