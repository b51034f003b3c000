"""Exact oracle of the specification (spec/00-numerics.md, spec/10-ops.md): every definition under one name.

Plain Python integers, one output element or one row at a time, written for reading, never for speed.
"""

from arith import *  # noqa: F403
from cells import *  # noqa: F403
from linear import *  # noqa: F403
from pool import *  # noqa: F403
from resize import *  # noqa: F403
from rows import *  # noqa: F403
from sampling import *  # noqa: F403
from tensor import *  # noqa: F403
