"""Trains the translator and writes model.onnx, calib.npy, pieces.tsv and held-out.tsv.

    npx tsx examples/translate/phrases.ts train.tsv held-out.tsv
    python3 examples/translate/train.py train.tsv held-out.tsv .
    npx tsx examples/translate/convert.ts model.onnx calib.npy model.sbm

Python 3.11, torch 2.15.0, onnx 1.23.2, numpy 2.4.6; one thread, seeded. 24 epochs of half a minute.

The network: embeddings of word pieces, a GRU over the English in both directions, and a GRU that writes the German with
dot-product attention. The decoder is unrolled: every step takes the argmax of the step before, so that one run of the
graph is one whole translation.
"""

import re
import sys
import time
from collections import Counter

import numpy as np
import torch
from torch import nn

PAD, START, END = 0, 1, 2
STEPS = 20
PIECES = 384
WIDTH = 64
EPOCHS = 24

torch.manual_seed(7)
torch.set_num_threads(1)
rng = np.random.default_rng(7)


def read(path):
    with open(path, encoding="utf-8") as f:
        return [line.rstrip("\n").split("\t") for line in f]


def pieces_of(texts, size):
    """Byte-pair merges inside words; the list of all pieces, after the three marks."""
    words = Counter(w for t in texts for w in re.findall(r" ?[^\W\d_]+|\d| ?[^\w\s]| ", t))
    split = {w: list(w) for w in words}
    found = sorted({c for w in words for c in w})
    while len(found) + 3 < size:
        pairs = Counter()
        for w, n in words.items():
            for a, b in zip(split[w], split[w][1:]):
                pairs[a + b] += n * (len(a) + len(b) > 1)
        best = max(pairs, key=lambda p: (pairs[p], p))
        found.append(best)
        for w, s in split.items():
            i, out = 0, []
            while i < len(s):
                if i + 1 < len(s) and s[i] + s[i + 1] == best:
                    out.append(best)
                    i += 2
                else:
                    out.append(s[i])
                    i += 1
            split[w] = out
    return ["<pad>", "<start>", "<end>", *found]


def encode(text, index, longest):
    """The longest piece that fits, again and again."""
    ids, at = [], 0
    while at < len(text):
        for n in range(min(longest, len(text) - at), 0, -1):
            if (i := index.get(text[at : at + n])) is not None:
                break
        else:
            raise ValueError(text)
        ids.append(i)
        at += n
    return ids


def decode(ids, pieces):
    ids = list(ids)
    return "".join(pieces[i] for i in ids[: ids.index(END) if END in ids else len(ids)])


class Translator(nn.Module):
    def __init__(self):
        super().__init__()
        self.source = nn.Embedding(PIECES, WIDTH)
        self.encoder = nn.GRU(WIDTH, WIDTH, bidirectional=True)
        self.target = nn.Embedding(PIECES, WIDTH)
        self.cell = nn.GRUCell(3 * WIDTH, 2 * WIDTH)
        self.query = nn.Linear(2 * WIDTH, 2 * WIDTH)
        self.project = nn.Linear(4 * WIDTH, WIDTH)
        self.out = nn.Linear(WIDTH, PIECES)

    def encode(self, x):
        memory, _ = self.encoder(self.source(x).transpose(0, 1))
        return memory.transpose(0, 1)

    def step(self, token, state, context, memory):
        state = self.cell(torch.cat([self.target(token), context], 1), state)
        scores = torch.matmul(memory, self.query(state).unsqueeze(2)).squeeze(2)
        weights = torch.softmax(scores, 1)
        context = torch.matmul(weights.unsqueeze(1), memory).squeeze(1)
        logits = self.out(torch.tanh(self.project(torch.cat([state, context], 1))))
        return logits, state, context

    def forward(self, x):
        memory = self.encode(x)
        state = context = torch.zeros(x.shape[0], 2 * WIDTH)
        token = torch.full((x.shape[0],), START)
        tokens = []
        for _ in range(STEPS):
            logits, state, context = self.step(token, state, context, memory)
            token = logits.argmax(1)
            tokens.append(token)
        return torch.stack(tokens, 1)

    def loss(self, x, y):
        memory = self.encode(x)
        state = context = torch.zeros(x.shape[0], 2 * WIDTH)
        token = torch.full((x.shape[0],), START)
        total = 0
        for i in range(y.shape[1]):
            logits, state, context = self.step(token, state, context, memory)
            token = y[:, i]
            total = total + nn.functional.cross_entropy(logits, token, ignore_index=PAD, reduction="sum")
        return total / (y != PAD).sum()


def export(model, path, example):
    torch.onnx.export(model, (example,), path, input_names=["english"], output_names=["german"], opset_version=17, dynamo=False, do_constant_folding=False)


def main():
    train, held_out = read(sys.argv[1]), read(sys.argv[2])
    folder = sys.argv[3]
    tables = [pieces_of([p[side] for p in train], PIECES) for side in (1, 2)]
    indices = [{p: i for i, p in enumerate(t) if i > END} for t in tables]
    longest = [max(map(len, i)) for i in indices]

    def ids(phrases):
        both = [[encode(p[1 + s], indices[s], longest[s]) + [END] for s in (0, 1)] for p in phrases]
        keep = [i for i, b in enumerate(both) if max(map(len, b)) <= STEPS]
        out = [np.zeros((len(keep), STEPS), np.int64) for _ in (0, 1)]
        for row, i in enumerate(keep):
            for s in (0, 1):
                out[s][row, : len(both[i][s])] = both[i][s]
        return torch.from_numpy(out[0]), torch.from_numpy(out[1]), [phrases[i] for i in keep]

    x, y, kept = ids(train)
    hx, hy, hkept = ids(held_out)
    print(f"train {len(kept)} of {len(train)}, held out {len(hkept)} of {len(held_out)}", flush=True)
    model = Translator()
    print(sum(p.numel() for p in model.parameters()), "parameters", flush=True)
    batch, per = 128, len(kept) // 128
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, EPOCHS * per, pct_start=0.1)
    begun = time.time()
    for epoch in range(EPOCHS):
        model.train()
        order = torch.from_numpy(rng.permutation(len(kept)))
        mean = 0.0
        for b in range(per):
            rows = order[b * batch : (b + 1) * batch]
            ys = y[rows]
            loss = model.loss(x[rows], ys[:, : int((ys != PAD).sum(1).max())])
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            mean += loss.item() / per
        print(f"epoch {epoch + 1}: loss {mean:.4f}, {time.time() - begun:.0f} s", flush=True)

    model.eval()
    with torch.no_grad():
        got = [decode(row, tables[1]) for row in model(hx).tolist()]
    right = Counter(p[0] for p, g in zip(hkept, got) if p[2] == g)
    total = Counter(p[0] for p in hkept)
    for kind in total:
        print(f"  {kind}: {right[kind]} of {total[kind]}")
    print(f"held out: {sum(right.values())} of {len(hkept)} right")
    with open(f"{folder}/pieces.tsv", "w", encoding="utf-8") as f:
        f.writelines(f"{e}\t{g}\n" for e, g in zip(*tables))
    with open(f"{folder}/held-out.tsv", "w", encoding="utf-8") as f:
        f.writelines("\t".join([*p, g]) + "\n" for p, g in zip(hkept, got))
    np.save(f"{folder}/calib.npy", x[rng.permutation(len(kept))[:256]].numpy().astype(np.int32))
    export(model, f"{folder}/model.onnx", hx[:1])


main()
