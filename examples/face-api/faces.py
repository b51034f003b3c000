"""Drawn faces: a person is a list of numbers, a picture of him adds pose, light, expression, place and noise.

No photographs of people are used: no package of the usual registries was found that ships several pictures of each of many people
under a licence that lets them be passed on.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 160, 120
CROP = 48
ZOOM = 4
PAD = 128


class Person:
    """What stays the same from picture to picture."""

    def __init__(self, rng):
        u = rng.uniform
        self.skin = u(110, 225)
        self.wide, self.long, self.jaw = u(0.70, 0.92), u(0.95, 1.12), u(0.55, 0.95)
        self.hair, self.style, self.line = u(10, 190), int(rng.integers(4)), u(0.40, 0.66)
        self.eyes, self.eye_y, self.eye_w, self.eye_h = u(0.30, 0.46), u(-0.16, -0.02), u(0.13, 0.21), u(0.06, 0.11)
        self.iris, self.tilt = u(20, 120), u(-0.03, 0.03)
        self.brow_y, self.brow_w, self.brow_d, self.brow_slope = u(0.13, 0.23), u(0.03, 0.075), u(10, 110), u(-0.06, 0.06)
        self.nose_l, self.nose_w = u(0.22, 0.40), u(0.08, 0.19)
        self.mouth_y, self.mouth_w, self.lip = u(0.42, 0.60), u(0.18, 0.36), u(0.03, 0.08)
        self.lips = u(0.45, 0.8)
        self.beard = u(0.5, 0.85) if u(0, 1) < 0.25 else 1.0
        self.glasses = u(0.0, 1.0) < 0.2
        self.ears = u(0.08, 0.2)
        self.moles = [(u(-0.5, 0.5), u(-0.1, 0.6)) for _ in range(int(rng.integers(0, 3)))]


def draw(person, rng, size=None):
    """A picture of 160 × 120 luma, and where the middle of the eyes and that of the mouth are."""
    u = rng.uniform
    side = u(52, 76) if size is None else size
    cx, cy = u(side * 0.62, WIDTH - side * 0.62), u(side * 0.68, HEIGHT - side * 0.66)
    turn, yaw, nod = u(-0.12, 0.12), u(-0.12, 0.12), u(-0.04, 0.04)
    opening, smile, blink = max(0.0, u(-0.06, 0.08)), u(-0.05, 0.08), u(0.65, 1.1)
    image = Image.new("L", (WIDTH * ZOOM, HEIGHT * ZOOM), int(u(40, 220)))
    pen = ImageDraw.Draw(image)
    for _ in range(4):
        x, y = u(0, WIDTH) * ZOOM, u(0, HEIGHT) * ZOOM
        w, h = u(10, 80) * ZOOM, u(10, 80) * ZOOM
        pen.rectangle((x, y, x + w, y + h), fill=int(u(30, 225)))
    half = side / 2 * ZOOM
    c, s = np.cos(turn), np.sin(turn)

    def at(x, y, inner=1.0):
        """From the face's own units: 1 is half of its height; inner features move with yaw and nod."""
        x, y = x + inner * yaw * (1 - 0.4 * x * x), y + inner * nod
        return (cx * ZOOM + half * (c * x - s * y), cy * ZOOM + half * (s * x + c * y))

    def shape(points, shade, inner=1.0):
        pen.polygon([at(x, y, inner) for x, y in points], fill=int(np.clip(shade, 0, 255)))

    def oval(x, y, w, h, shade, inner=1.0, lean=0.0):
        a = np.linspace(0, 2 * np.pi, 28)
        shape([(x + w * np.cos(t), y + h * np.sin(t) + lean * w * np.cos(t)) for t in a], shade, inner)

    p = person
    shape([(-0.42, 0.6), (0.42, 0.6), (0.5, 1.25), (1.3, 1.7), (-1.3, 1.7), (-0.5, 1.25)], p.skin * 0.72, 0)
    if p.style == 1:
        oval(0, 0.05, p.wide * 1.18, p.long * 1.15, p.hair, 0)
    if p.style == 2:
        shape([(-p.wide * 1.1, -0.4), (p.wide * 1.1, -0.4), (p.wide * 1.2, 1.2), (-p.wide * 1.2, 1.2)], p.hair, 0)
    for sign in (-1, 1):
        oval(sign * p.wide * 0.98, 0.02, p.ears * 0.7, p.ears * 1.3, p.skin * 0.85, 0)
    t = np.linspace(0, 2 * np.pi, 60)
    x = p.wide * np.cos(t) * np.where(np.sin(t) > 0, 1 - (1 - p.jaw) * np.sin(t) ** 2, 1)
    head = list(zip(x, p.long * np.sin(t)))
    shape(head, p.skin, 0)
    if p.beard < 1:
        low = [(a * 0.99, b) for a, b in head if b > 0.25 * p.long]
        shape(low, p.skin * p.beard)
    if p.style != 3:
        top = [(a * 1.04, b * 1.06) for a, b in head if b < -p.line * p.long]
        shape(top, p.hair, 0.2)
    for a, b in p.moles:
        oval(a * p.wide, b, 0.025, 0.025, p.skin * 0.5)
    # Shade under the brows and beside the nose, as light from above leaves it.
    for sign in (-1, 1):
        oval(sign * p.eyes, p.eye_y - 0.03, p.eye_w * 1.35, p.eye_h * 1.9, p.skin * 0.84)
        h = p.eye_h * blink
        oval(sign * p.eyes, p.eye_y, p.eye_w, h, min(240, p.skin * 0.5 + 130), 1, sign * p.tilt)
        oval(sign * p.eyes + yaw * 0.1, p.eye_y, h * 0.95, h * 0.95, p.iris)
        oval(sign * p.eyes + yaw * 0.1, p.eye_y, h * 0.45, h * 0.45, 8)
        y = p.eye_y - p.brow_y
        inner, outer = sign * (p.eyes - p.eye_w * 1.1), sign * (p.eyes + p.eye_w * 1.25)
        shape([(inner, y), (outer, y + p.brow_slope), (outer, y + p.brow_slope + p.brow_w * 0.5), (inner, y + p.brow_w)], p.brow_d)
    nose = p.eye_y + 0.08 + p.nose_l
    shape([(-0.05, p.eye_y), (-p.nose_w, nose), (-p.nose_w * 0.4, nose)], p.skin * 0.86)
    shape([(0.05, p.eye_y), (p.nose_w, nose), (p.nose_w * 0.4, nose)], p.skin * 0.93)
    oval(0, nose, p.nose_w, 0.06, p.skin * 0.80)
    for sign in (-1, 1):
        oval(sign * p.nose_w * 0.5, nose + 0.03, 0.035, 0.022, p.skin * 0.35)
    a = np.linspace(-1, 1, 15)
    curve = -smile * a * a
    upper = [(v * p.mouth_w, p.mouth_y + k - p.lip * (1 - v * v)) for v, k in zip(a, curve)]
    lower = [(v * p.mouth_w, p.mouth_y + k + (p.lip + opening) * (1 - v * v)) for v, k in zip(a, curve)]
    shape(upper + lower[::-1], p.skin * p.lips)
    mid = [(v * p.mouth_w, p.mouth_y + k + (opening + 0.012) * (1 - v * v)) for v, k in zip(a, curve)]
    line = [(v * p.mouth_w, p.mouth_y + k - 0.012 * (1 - v * v)) for v, k in zip(a, curve)]
    shape(line + mid[::-1], 35)
    if p.glasses:
        for sign in (-1, 1):
            ring = [at(sign * p.eyes + 0.24 * np.cos(v), p.eye_y + 0.17 * np.sin(v)) for v in t]
            pen.line(ring, fill=30, width=ZOOM + 2)
        pen.line([at(-p.eyes + 0.24, p.eye_y), at(p.eyes - 0.24, p.eye_y)], fill=30, width=ZOOM + 2)
    image = image.filter(ImageFilter.GaussianBlur(u(0.5, 1.1) * ZOOM)).resize((WIDTH, HEIGHT), Image.Resampling.BOX)
    out = np.asarray(image, np.float32)
    angle, strength = u(0, 2 * np.pi), u(0, 0.3)
    yy, xx = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    light = 1 + strength * np.clip(((xx - cx) * np.cos(angle) + (yy - cy) * np.sin(angle)) / (side / 2), -1.2, 1.2)
    # The rounding of a head: darker to its rim.
    round_off = 1 - 0.16 * np.clip(((xx - cx) / (side * 0.5)) ** 2 + ((yy - cy) / (side * 0.55)) ** 2, 0, 1)
    out = (out * light * round_off - 128) * u(0.75, 1.15) + 128 + u(-18, 18) + rng.normal(0, u(1, 4), out.shape)
    marks = [at(0, p.eye_y), at(0, p.mouth_y + max(opening, 0) / 2)]
    return np.clip(out + 0.5, 0, 255).astype(np.uint8), [(x / ZOOM, y / ZOOM) for x, y in marks]


def box(eyes, mouth):
    """The square around a face: three times the way from the eyes to the mouth, its middle between them."""
    side = max(12, int(3 * np.hypot(eyes[0] - mouth[0], eyes[1] - mouth[1]) + 0.5))
    x, y = ((eyes[i] + mouth[i]) / 2 - side / 2 for i in (0, 1))
    return int(np.floor(x + 0.5)), int(np.floor(y + 0.5)), side


def crop(picture, square):
    """A square as 48 × 48: the mean of the pixels that fall on each, by integer bounds; the edge is repeated beyond the picture."""
    x0, y0, side = square
    padded = np.pad(picture, PAD, mode="edge").astype(np.int64)
    sums = np.zeros((padded.shape[0] + 1, padded.shape[1] + 1), np.int64)
    sums[1:, 1:] = padded.cumsum(0).cumsum(1)
    low = np.arange(CROP) * side // CROP
    high = np.maximum(low + 1, (np.arange(CROP) + 1) * side // CROP)
    ya, yb, xa, xb = (v + o + PAD for v, o in ((low, y0), (high, y0), (low, x0), (high, x0)))
    total = sums[yb][:, xb] - sums[ya][:, xb] - sums[yb][:, xa] + sums[ya][:, xa]
    count = (high - low)[:, None] * (high - low)[None]
    return ((total + count // 2) // count).astype(np.uint8)
