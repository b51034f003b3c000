"""Protocol Buffers wire form of spec/20-format.md §2, §3: reader, canonical writer, canonical check."""


class Refused(Exception):
    """The bytes are not a valid model."""


# field number -> (name, type, repeated); type: u (uint32), s (sint32), flag, text, blob, or a message name
SCHEMA = {
    "Model": {
        1: ("spec", "u", False),
        2: ("symbols", "Symbol", True),
        3: ("inputs", "Input", True),
        4: ("nodes", "Node", True),
        5: ("outputs", "Output", True),
        6: ("states", "State", True),
        7: ("constants", "Constant", True),
    },
    "Symbol": {1: ("name", "text", False), 2: ("min", "u", False), 3: ("max", "u", False)},
    "Dim": {1: ("c", "s", False), 2: ("k", "s", True)},
    "Scale": {1: ("mantissa", "blob", False), 2: ("exponent", "s", False)},
    "Input": {
        1: ("name", "text", False),
        2: ("dtype", "u", False),
        3: ("shape", "Dim", True),
        4: ("zp", "s", False),
        5: ("lo", "Dim", False),
        6: ("hi", "Dim", False),
        7: ("scale", "Scale", False),
        8: ("u8", "flag", False),
    },
    "Output": {
        1: ("name", "text", False),
        2: ("tensor", "u", False),
        3: ("scale", "Scale", False),
        4: ("u8", "flag", False),
    },
    "Node": {1: ("op", "u", False), 2: ("inputs", "u", True), 3: ("attrs", "Attr", True)},
    "Attr": {1: ("tag", "u", False), 2: ("ints", "s", True), 3: ("blob", "blob", False), 4: ("dims", "Dim", True)},
    "State": {1: ("input", "u", False), 2: ("output", "u", False)},
    "Constant": {1: ("dtype", "u", False), 2: ("shape", "u", True), 3: ("zp", "s", False), 4: ("data", "blob", False)},
}
DEFAULT = {"u": 0, "s": 0, "flag": False, "text": "", "blob": b""}
VARINT, LENGTH = 0, 2


def read_varint(data, at, end):
    value = shift = 0
    while True:
        if at >= end:
            raise Refused("a varint ends behind its field")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise Refused("a varint is too long")


def scalar(kind, value):
    if value >= 2**32:
        raise Refused("a number needs more than 32 bits")
    if kind == "s":
        return (value >> 1) ^ -(value & 1)
    if kind == "flag":
        if value > 1:
            raise Refused("a flag is 0 or 1")
        return value == 1
    return value


def read(message, data, at=0, end=None):
    """A message as a dict of all its fields; absent ones have their default, absent sub-messages are None."""
    end = len(data) if end is None else end
    out = {}
    for name, kind, repeated in SCHEMA[message].values():
        out[name] = [] if repeated else DEFAULT.get(kind)
    while at < end:
        key, at = read_varint(data, at, end)
        number, wire = key >> 3, key & 7
        if number not in SCHEMA[message]:
            raise Refused(f"unknown field {number} of {message}")
        name, kind, repeated = SCHEMA[message][number]
        packed = repeated and kind in ("u", "s")
        if wire != (VARINT if kind in ("u", "s", "flag") and not packed else LENGTH):
            raise Refused(f"field {name} of {message} has another wire type")
        value, at = read_varint(data, at, end)
        if wire == VARINT:
            out[name] = scalar(kind, value)
            continue
        stop = at + value
        if stop > end:
            raise Refused(f"field {name} of {message} ends behind its message")
        if packed:
            while at < stop:
                value, at = read_varint(data, at, stop)
                out[name].append(scalar(kind, value))
        elif kind in SCHEMA:
            child = read(kind, data, at, stop)
            if repeated:
                out[name].append(child)
            else:
                out[name] = child
        else:
            raw = bytes(data[at:stop])
            try:
                out[name] = raw.decode("utf-8") if kind == "text" else raw
            except UnicodeDecodeError:
                raise Refused(f"field {name} of {message} is not UTF-8") from None
        at = stop
    return out


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(kind, value):
    return varint(2 * value if value >= 0 else -2 * value - 1) if kind == "s" else varint(int(value))


def write(message, value):
    """The canonical bytes of a message."""
    out = bytearray()
    for tag, (name, kind, repeated) in sorted(SCHEMA[message].items()):
        v = value[name]
        if kind in SCHEMA:
            parts = [write(kind, child) for child in (v if repeated else [] if v is None else [v])]
        elif repeated:
            parts = [b"".join(number(kind, q) for q in v)] if v else []
        elif v == DEFAULT[kind]:
            continue
        elif kind in ("u", "s", "flag"):
            out += varint(tag << 3 | VARINT) + number(kind, v)
            continue
        else:
            parts = [v.encode("utf-8") if kind == "text" else v]
        for part in parts:
            out += varint(tag << 3 | LENGTH) + varint(len(part)) + part
    return bytes(out)


def decode(data):
    """The Model message of canonical bytes."""
    model = read("Model", data)
    if write("Model", model) != bytes(data):
        raise Refused("the bytes are not in canonical form")
    return model
