"""High-precision references for tests/moments.rs: E[f], E[f^2], E[f'], E[f'^2] under N(0, s^2).

Run with mpmath and sympy: python moments.py > moments.tsv
Every integral is split at 0, at the kinks, and at doubling distances from them (or into
half periods), and each piece is integrated by Gauss-Legendre at 40 digits until two degrees
agree to 1e-22. Parameters are the exact rational numbers that are written.
"""

import sys
import sympy as sp
from mpmath import mp, mpf

mp.dps = 34
x = sp.symbols("x", real=True)
R = sp.Rational

# Written form -> (f left of 0, f right of 0, finest scale, frequency in radians at x as a function)
def both(f):
    return (f, f)

sig = 1 / (1 + sp.exp(-x))
erf = sp.erf
selu_l, selu_a = sp.Float("1.0507009873554804934193349852946", 40), sp.Float("1.6732632423543772848170429916717", 40)
CASES = {
    "tanh": (both(sp.tanh(x)), 1, None),
    "sigmoid": (both(sig), 1, None),
    "relu": ((sp.Integer(0), x), 1, None),
    "sine:omega=3": (both(sp.sin(3 * x)), R(1, 3), 3),
    "gaussian:sigma=0.25": (both(sp.exp(-8 * x**2)), R(1, 4), None),
    "gaussian:sigma=0.001": (both(sp.exp(-x**2 * 500000)), R(1, 1000), None),
    "sinc:a=2": (both(sp.sin(2 * x) / (2 * x)), R(1, 2), 2),
    "wavelet:a=1.5": (both(sp.cos(3 * x / 2) * sp.exp(-(3 * x / 2) ** 2)), R(1, 3), None),
    "leaky_relu:slope=0.1": ((x / 10, x), 1, None),
    "elu:alpha=1.5": ((R(3, 2) * (sp.exp(x) - 1), x), 1, None),
    "selu": ((selu_l * selu_a * (sp.exp(x) - 1), selu_l * x), 1, None),
    "gelu": (both(x * erf(x / sp.sqrt(2)) / 2 + x / 2), 1, None),
    "silu": (both(x * sig), 1, None),
    "softplus": ((sp.log(1 + sp.exp(x)), x + sp.log(1 + sp.exp(-x))), 1, None),
    "mish": ((x * sp.tanh(sp.log(1 + sp.exp(x))), x * sp.tanh(x + sp.log(1 + sp.exp(-x)))), 1, None),
    "erf": (both(erf(x)), 1, None),
    "laplacian:sigma=0.5": ((sp.exp(2 * x), sp.exp(-2 * x)), R(1, 2), None),
    "quadratic:a=2": (both(1 / (1 + 4 * x**2)), R(1, 2), None),
    "multi_quadratic:a=2": (both(1 / sp.sqrt(1 + 4 * x**2)), R(1, 2), None),
    "super_gaussian:sigma=0.5,b=3": (both(sp.exp(-6 * x**2)), R(1, 4), None),
    "expsin:a=2": (both(sp.exp(-sp.sin(2 * x))), R(1, 2), 2),
    "finer:omega=2": ((sp.sin(2 * (1 - x) * x), sp.sin(2 * (1 + x) * x)), R(1, 2), "finer"),
    # Formulas.
    "1/cosh(x)": (both(1 / sp.cosh(x)), 1, None),
    "(exp(x)-exp(-x))/(exp(x)+exp(-x))": (both(sp.tanh(x)), 1, None),
    "x*exp(-x^2)": (both(x * sp.exp(-x**2)), 1, None),
    "x^3-2*x": (both(x**3 - 2 * x), 1, None),
    "atan(x)+0.1*x^2": (both(sp.atan(x) + x**2 / 10), 1, None),
    "(1-cos(x))/x^2": (both((1 - sp.cos(x)) / x**2), "cancel", 1),
    "exp(-exp(x))": (both(sp.exp(-sp.exp(x))), 1, None),
    "log(1+x^2)": (both(sp.log(1 + x**2)), 1, None),
    "x/tanh(x)": (both(x / sp.tanh(x)), 1, None),
    "sin(3*x)*exp(-x^2)": (both(sp.sin(3 * x) * sp.exp(-x**2)), R(1, 3), None),
    "sqrt(x^2+0.01)": (both(sp.sqrt(x**2 + R(1, 100))), R(1, 10), None),
    "sinh(x/4)*exp(-x^2/8)": (both(sp.sinh(x / 4) * sp.exp(-x**2 / 8)), 1, None),
}
KINKED = {
    # f on pieces between kinks.
    "abs(x^2-2)": ([-sp.sqrt(2), sp.sqrt(2)], [x**2 - 2, 2 - x**2, x**2 - 2], 1),
    "max(min(x,1.5),-0.3)": ([-R(3, 10), R(3, 2)], [-R(3, 10) + 0 * x, x, R(3, 2) + 0 * x], 1),
}
SIGMAS = ["0.001", "0.05", "1", "7", "1000"]


def absolute_power(p, s):
    """E|x|^p."""
    p = mpf(p)
    return s**p * 2 ** (p / 2) * mp.gamma((p + 1) / 2) / mp.sqrt(mp.pi)


def bump(s):
    w, k = mpf("0.001"), mpf(3)
    def weighted(w2):
        v, scale = 1 / (1 / w2 + 1 / s**2), mp.sqrt(w2 / (w2 + s**2)) * mp.exp(-k * k / (2 * (w2 + s**2)))
        return scale, v, v * k / w2
    (a, _, m), (b, v, n) = weighted(w**2), weighted(w**2 / 2)
    return a, b, -a * (m - k) / w**2, b / w**4 * (v + (n - k) ** 2)


def sine(w, s):
    q = (w * s) ** 2
    return mpf(0), -mp.expm1(-2 * q) / 2, w * mp.exp(-q / 2), w * w * (1 + mp.exp(-2 * q)) / 2


def ripples(w, power, s):
    """cos(w x) + x or cos(w x) + x^2: thousands of periods under a wide density."""
    once, twice = mp.exp(-((w * s) ** 2) / 2), mp.exp(-2 * (w * s) ** 2)
    squares, slopes = (1 + twice) / 2, w * w * (1 - twice) / 2
    if power == 1:
        return once, squares + s * s, mpf(1), slopes + 1
    return (
        once + s * s,
        squares + 2 * s * s * (1 - (w * s) ** 2) * once + 3 * s**4,
        mpf(0),
        slopes - 4 * (w * s) ** 2 * once + 4 * s * s,
    )


def finer(w, s):
    """sin(w (|x| + 1) x) through complementary error functions of complex argument."""
    def cosines(frequency):
        p, q = 1 / (2 * s * s) - 1j * frequency, 1j * frequency / 2
        root = mp.sqrt(p)
        j0 = mp.sqrt(mp.pi) / (2 * root) * mp.exp(q * q / p) * mp.erfc(-q / root)
        j1 = (1 + 2 * q * j0) / (2 * p)
        j2 = (j0 + 2 * q * j1) / (2 * p)
        scale = 2 / (s * mp.sqrt(2 * mp.pi))
        return [scale * mp.re(j) for j in (j0, 2 * j1 + j0, 4 * j2 + 4 * j1 + j0)]
    once, twice = cosines(mpf(w)), cosines(mpf(2 * w))
    squares = 4 * s * s + 4 * s * mp.sqrt(2 / mp.pi) + 1
    return mpf(0), (1 - twice[0]) / 2, w * once[1], mpf(w) ** 2 / 2 * (squares + twice[2])


# In closed form.
CLOSED = {
    "abs(x)^0.9": lambda s: (absolute_power("0.9", s), absolute_power("1.8", s), mpf(0), mpf("0.81") * absolute_power("-0.2", s)),
    "x*sqrt(abs(x))": lambda s: (mpf(0), absolute_power(3, s), mpf("1.5") * absolute_power("0.5", s), mpf("2.25") * absolute_power(1, s)),
    "exp(-(x-3)^2/(2*s^2)):s=0.001": bump,
    "sin(300*x)": lambda s: sine(300, s),
    "sin(w*x):w=30": lambda s: sine(30, s),
    "x^10": lambda s: (absolute_power(10, s), absolute_power(20, s), mpf(0), 100 * absolute_power(18, s)),
    "exp(x/100)": lambda s: tuple(c * mp.exp(t * s * s) for c, t in [(1, mpf(1) / 20000), (1, mpf(1) / 5000), (mpf(1) / 100, mpf(1) / 20000), (mpf(1) / 10000, mpf(1) / 5000)]),
    "finer:omega=30": lambda s: finer(30, s),
    "cos(100*x)+x": lambda s: ripples(100, 1, s),
    "cos(20*x)+x^2": lambda s: ripples(20, 2, s),
}


def integrate(g, s, pieces):
    total = mpf(0)
    for a, b in pieces:
        def h(t):
            return g(t) * mp.exp(-t * t / (2 * s * s))
        last = None
        for degree in (24, 48, 96, 192):
            value = mpf(0)
            for node, weight in nodes(degree):
                value += weight * h((a + b) / 2 + (b - a) / 2 * node)
            value *= (b - a) / 2
            if last is not None and abs(value - last) <= mpf(10) ** -23 * (abs(value) + abs(total) + mpf(10) ** -2000):
                break
            last = value
        else:
            raise RuntimeError(f"not converged on {a} {b}")
        total += value
    return total / (s * mp.sqrt(2 * mp.pi))


CACHE = {}
def nodes(n):
    if n not in CACHE:
        out = []
        for i in range(1, n + 1):
            t = mp.cos(mp.pi * (i - mpf(1) / 4) / (n + mpf(1) / 2))
            for _ in range(100):
                p0, p1 = mpf(1), t
                for k in range(2, n + 1):
                    p0, p1 = p1, ((2 * k - 1) * t * p1 - (k - 1) * p0) / k
                d = n * (t * p1 - p0) / (t * t - 1)
                step = p1 / d
                t -= step
                if abs(step) < mpf(10) ** -32:
                    break
            out.append((t, 2 / ((1 - t * t) * d * d)))
        CACHE[n] = out
    return CACHE[n]


def splits(s, scale, frequency, center=mpf(0)):
    """Positive break points from center outwards."""
    end = mpf(45) * s
    points = [mpf(0)]
    if scale == "power":
        step = mpf(10) ** -160
    else:
        step = min(mpf(1 if scale == "cancel" else sp.Float(scale, 40)), s) / 2
    d = step
    while points[-1] < end:
        if frequency == "finer":
            limit = mp.pi / (2 * (1 + 2 * points[-1])) * 4
        elif frequency:
            limit = 4 * mp.pi / mpf(frequency)
        else:
            limit = mpf("inf")
        points.append(min(points[-1] + min(d, limit), end))
        d = points[-1] * mpf("0.5") + step
    return points


def row(name, sigma, four):
    return "\t".join([name, sigma] + [mp.nstr(t, 20, min_fixed=0, max_fixed=0) for t in four])


def run(job):
    name, text_sigma = job
    s = mpf(text_sigma)
    try:
        if name in CLOSED:
            return row(name, text_sigma, CLOSED[name](s))
        if name in KINKED:
            kinks, exprs, scale = KINKED[name]
            kinks = [mpf(str(sp.N(k, 40))) for k in kinks]
            ends = sorted({-45 * s, 45 * s} | {k for k in kinks if abs(k) < 45 * s})
            parts = []
            for a, b in zip(ends, ends[1:]):
                piece = exprs[sum(1 for k in kinks if (a + b) / 2 > k)]
                inner = sorted({a, b} | {p for c in [*kinks, mpf(0)] for q in splits(s, scale, None) for p in (c - q, c + q) if a < p < b})
                parts.append((piece, list(zip(inner, inner[1:]))))
        else:
            (left, right), scale, frequency = CASES[name]
            # Too many periods for this script.
            if frequency and s * 45 > (60 if frequency == "finer" else 4000):
                return None
            p = splits(s, scale, frequency)
            parts = [(left, [(-b, -a) for a, b in zip(p, p[1:])]), (right, list(zip(p, p[1:])))]
        totals = [mpf(0)] * 4
        for expr, pieces in parts:
            f = sp.lambdify(x, expr, "mpmath")
            d = sp.lambdify(x, sp.diff(expr, x), "mpmath")
            if name == "(1-cos(x))/x^2":
                mp.dps = 60
            g = [f, lambda t: f(t) ** 2, d, lambda t: d(t) ** 2]
            for k in range(4):
                totals[k] += integrate(g[k], s, pieces)
            mp.dps = 34
        return row(name, text_sigma, totals)
    except Exception as error:
        print(name, text_sigma, "failed:", repr(error)[:200], file=sys.stderr)
        return None


if __name__ == "__main__":
    names = [*CASES, *KINKED, *CLOSED]
    names = names[names.index(sys.argv[1]) :] if sys.argv[1:] else names
    jobs = [(name, s) for name in names for s in SIGMAS]
    for line in map(run, jobs):
        if line:
            print(line, flush=True)
