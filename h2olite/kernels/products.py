"""Products of matrices, of which only the rows of some inputs count.

The processor waits for memory more than for multiplications. So what is loaded once serves two rows, or two inputs.
"""

from __future__ import annotations

from .compiling import kernel
from .lanes import multiply_add


@kernel
def add_product(x, weights, offset, active, n_active, z):
    """Add x @ weights to z for the inputs that have the first n_active listed rows of the weights, four at a time.

    x begins with the input of row `offset`.
    """
    n_rows, width = z.shape
    n_fours, n_pairs = n_active - n_active % 4, n_rows - n_rows % 2
    for k in range(0, n_fours, 4):
        k0, k1, k2, k3 = active[k], active[k + 1], active[k + 2], active[k + 3]
        for r in range(0, n_pairs, 2):
            s = r + 1
            x0, x1, x2, x3 = x[r, k0 - offset], x[r, k1 - offset], x[r, k2 - offset], x[r, k3 - offset]
            y0, y1, y2, y3 = x[s, k0 - offset], x[s, k1 - offset], x[s, k2 - offset], x[s, k3 - offset]
            for u in range(width):
                w0, w1, w2, w3 = weights[k0, u], weights[k1, u], weights[k2, u], weights[k3, u]
                two = multiply_add(x1, w1, multiply_add(x0, w0, z[r, u]))
                also = multiply_add(y1, w1, multiply_add(y0, w0, z[s, u]))
                z[r, u] = multiply_add(x3, w3, multiply_add(x2, w2, two))
                z[s, u] = multiply_add(y3, w3, multiply_add(y2, w2, also))
        for r in range(n_pairs, n_rows):
            x0, x1, x2, x3 = x[r, k0 - offset], x[r, k1 - offset], x[r, k2 - offset], x[r, k3 - offset]
            for u in range(width):
                two = multiply_add(x1, weights[k1, u], multiply_add(x0, weights[k0, u], z[r, u]))
                z[r, u] = multiply_add(x3, weights[k3, u], multiply_add(x2, weights[k2, u], two))
    for k in range(n_fours, n_active):
        k0 = active[k]
        for r in range(n_rows):
            x0 = x[r, k0 - offset]
            for u in range(width):
                z[r, u] = multiply_add(x0, weights[k0, u], z[r, u])


@kernel
def combine(x, offset, active, n_active, gradients, start, stop, total):
    """Add to the rows of total, one for each listed input, the sum over rows start to stop of x_i * gradients."""
    width, n_pairs = gradients.shape[1], n_active - n_active % 2
    end = start + (stop - start) // 4 * 4
    for j in range(0, n_pairs, 2):
        i, h, m = active[j] - offset, active[j + 1] - offset, j + 1
        for r in range(start, end, 4):
            x0, x1, x2, x3 = x[r, i], x[r + 1, i], x[r + 2, i], x[r + 3, i]
            y0, y1, y2, y3 = x[r, h], x[r + 1, h], x[r + 2, h], x[r + 3, h]
            for u in range(width):
                g0, g1, g2, g3 = gradients[r, u], gradients[r + 1, u], gradients[r + 2, u], gradients[r + 3, u]
                two = multiply_add(x1, g1, multiply_add(x0, g0, total[j, u]))
                also = multiply_add(y1, g1, multiply_add(y0, g0, total[m, u]))
                total[j, u] = multiply_add(x3, g3, multiply_add(x2, g2, two))
                total[m, u] = multiply_add(y3, g3, multiply_add(y2, g2, also))
    for j in range(n_pairs, n_active):
        i = active[j] - offset
        for r in range(start, end, 4):
            x0, x1, x2, x3 = x[r, i], x[r + 1, i], x[r + 2, i], x[r + 3, i]
            for u in range(width):
                two = multiply_add(x1, gradients[r + 1, u], multiply_add(x0, gradients[r, u], total[j, u]))
                total[j, u] = multiply_add(x3, gradients[r + 3, u], multiply_add(x2, gradients[r + 2, u], two))
    for j in range(n_active):
        i = active[j] - offset
        for r in range(end, stop):
            x0 = x[r, i]
            for u in range(width):
                total[j, u] = multiply_add(x0, gradients[r, u], total[j, u])
