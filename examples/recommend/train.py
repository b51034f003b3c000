"""Makes listeners, trains the factorisation network, and writes model.onnx, calib.npy, test.npy and float_top10.npy beside this file.

    python3 train.py          # torch 2.15.0, onnx 1.23.2, numpy 2.4.6; seeded, one thread, under a minute

The listeners are synthetic: listening and rating data sets that packages bring either may not be shipped with a program or are under licences
that this repository does not carry. `listeners` says how they choose.
"""
import pathlib

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent
TRACKS, ARTISTS, GENRES, FACTORS, TOP = 256, 32, 8, 16, 10

torch.manual_seed(21)
torch.set_num_threads(1)
rng = np.random.default_rng(21)


def listeners(n):
    """Tracks that n listeners played, bool [n, TRACKS].

    An artist has a mixture of genres and eight tracks near it; a listener has tastes in two or three genres, favours some artists,
    follows the charts (popularity falls as 1/rank^0.8) more or less, and plays 16 to 48 tracks.
    """
    played = np.zeros((n, TRACKS), bool)
    for i in range(n):
        taste = rng.dirichlet(np.full(GENRES, 0.25))
        loyal = rng.gamma(0.5, 1.0, ARTISTS)
        charts = rng.uniform(0.2, 1.0)
        score = 6 * MIX @ taste + 0.8 * np.repeat(loyal, TRACKS // ARTISTS) + charts * POPULAR + rng.gumbel(0, 0.7, TRACKS)
        played[i, np.argsort(-score)[: rng.integers(16, 49)]] = True
    return played


artist_mix = rng.dirichlet(np.full(GENRES, 0.3), ARTISTS)
MIX = np.repeat(artist_mix, TRACKS // ARTISTS, 0) * 0.85 + 0.15 * rng.dirichlet(np.full(GENRES, 0.3), TRACKS)
POPULAR = -0.8 * np.log(rng.permutation(TRACKS) + 1.0)


def split(played):
    """Half of what each listener played, and the other half."""
    seen = played & (rng.random(played.shape) < 0.5)
    return seen, played & ~seen


class Factors(torch.nn.Module):
    """Scores of tracks: the product of a track's factors and a listener's, which are tanh of a sum over what he played."""

    def __init__(self):
        super().__init__()
        self.listener = torch.nn.Linear(TRACKS, FACTORS)
        self.track = torch.nn.Linear(FACTORS, TRACKS)
        torch.nn.init.normal_(self.listener.weight, std=0.1)

    def forward(self, x):
        return self.track(torch.tanh(self.listener(x)))


def train(played):
    net = Factors()
    opt = torch.optim.Adam(net.parameters(), 5e-3, weight_decay=1e-6)
    epochs, batch = 40, 256
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, epochs * (len(played) // batch))
    for _ in range(epochs):
        seen, rest = split(played)
        x, y = torch.from_numpy(seen).float(), torch.from_numpy(rest).float()
        for idx in torch.randperm(len(x))[: len(x) // batch * batch].split(batch):
            scores = net(x[idx]).masked_fill(x[idx] > 0, -20.0)
            loss = -(torch.log_softmax(scores, 1) * y[idx]).sum(1).mean() / y[idx].sum(1).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
    print(f"loss {loss.item():.3f}")
    return net


def export(net):
    """played [1, TRACKS] of 0 and 1 → the ten best tracks that were not played, and their scores."""
    tensor = lambda name, v: numpy_helper.from_array(np.asarray(v), name)
    layers = [("listener", net.listener), ("track", net.track)]
    init = [tensor(f"{n}_{p}", getattr(m, p).detach().numpy().T.copy()) for n, m in layers for p in ("weight", "bias")]
    init += [tensor("none", np.float32(0)), tensor("out", np.float32(-12)), tensor("k", np.array([TOP], np.int64))]
    nodes = [
        helper.make_node("Gemm", ["played", "listener_weight", "listener_bias"], ["sum"]),
        helper.make_node("Tanh", ["sum"], ["taste"]),
        helper.make_node("Gemm", ["taste", "track_weight", "track_bias"], ["all"]),
        helper.make_node("Greater", ["played", "none"], ["known"]),
        helper.make_node("Where", ["known", "out", "all"], ["open"]),
        helper.make_node("TopK", ["open", "k"], ["scores", "tracks"], axis=1),
    ]
    info = helper.make_tensor_value_info
    inputs = [info("played", TensorProto.FLOAT, [1, TRACKS])]
    outputs = [info("tracks", TensorProto.INT64, [1, TOP]), info("scores", TensorProto.FLOAT, [1, TOP])]
    model = helper.make_model(
        helper.make_graph(nodes, "recommend", inputs, outputs, init), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    onnx.checker.check_model(model)
    onnx.save(model, HERE / "model.onnx")


def main():
    net = train(listeners(8000))
    export(net)
    calib, _ = split(listeners(256))
    np.save(HERE / "calib.npy", np.packbits(calib, 1, "little"))
    seen, rest = split(listeners(1000))
    np.save(HERE / "test.npy", np.concatenate([np.packbits(s, 1, "little") for s in (seen, rest)], 1))
    with torch.no_grad():
        scores = net(torch.from_numpy(seen).float()).masked_fill(torch.from_numpy(seen), -12.0)
        top = torch.topk(scores, TOP, 1).indices.numpy()
    np.save(HERE / "float_top10.npy", top.astype(np.uint8))
    popular = np.argsort(-listeners(2000).mean(0))
    guess = np.stack([popular[~s[popular]][:TOP] for s in seen])
    for name, t in ("float", top), ("charts", guess):
        print(name, "recall@10", np.mean([len(set(a) & set(np.flatnonzero(r))) / min(TOP, r.sum()) for a, r in zip(t, rest) if r.any()]))


if __name__ == "__main__":
    main()
