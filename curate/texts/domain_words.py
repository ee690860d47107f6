"""Words that tell a mathematical problem's domain, each with its weight: the table behind `tags: [domain]`.

Domains are the subjects of MATH (arXiv 2103.03874), `Algebra` and `Intermediate Algebra` as one, and four of college as
they stand in odyssey-math and MMLU (arXiv 2009.03300). `Prealgebra` has sums and word problems. Weights follow a
sparse logistic regression on the training half of MATH, with 1,500 questions of GSM8K as `Prealgebra`, rounded and
thinned to what a reader would agree with; those of college are ours.

A word matches how words begin (`triang`: triangle, triangular), or as a whole where `_` ends it (`base_`). `#power` is
a variable with an exponent, `#prime` a derivative as in f'(x), `#factorial` an
exclamation mark behind a term, `#unknown` a letter behind a number.
"""

DOMAIN_WORDS: dict[str, dict[int, str]] = {
    "Abstract Algebra": {
        12: "homomorphism, isomorphi, abelian, subgroup, galois, quotient ring, quotient group, field extension",
        8: "cyclic group, group of order, symmetric group, ideal of, commutative ring, finite field, coset",
        4: "group_, ring_, generators of",
    },
    "Linear Algebra": {
        14: "eigen, vector space, null space, linear transformation, linear map, linearly, diagonaliz, singular value",
        10: "rank of, rank_, orthonormal, adjoint, invertible matri, subspace, jordan form, row reduc, linear system",
        8: "determinant, matrix, matrices, system of linear, trace_, basis_, bmatrix, nonsingular, product ab",
        2: "pmatrix, \\begin array, transpose, inverse_",
    },
    "Statistics": {
        14: "confidence interval, hypothesis test, null hypothesis, estimator, maximum likelihood, linear regression",
        10: "standard deviation, variance, normally distributed, normal distribution, chi square, sample mean, poisson",
        6: "test statistic, p value, significance level, percentile, quartile, correlation, population, boxplot",
        3: "sample_, distribution, statistic, survey, median, histogram",
    },
    "Calculus": {
        16: "\\int_, \\iint, \\oint, integral, derivative, differentia, \\partial, taylor, maclaurin, antiderivative",
        12: "\\lim_, \\limits, #prime, laplace, fourier, gradient, ode_, tangent line, concav, dx_, dt_, dy_, converge",
        8: "diverge, instantaneous, critical point, is continuous, rate of change, litres flow, improper",
        4: "limit_, \\infty_, asymptote, series_, cardioid",
    },
    "Precalculus": {
        14: "\\mathbf, \\arcsin, \\arccos, \\arctan, coplanar",
        12: "\\sin, \\cos, \\tan, \\cot, \\sec, \\csc, radian, vector, spherical coord, rectangular coord, trigono",
        9: "\\theta, polar, pmatrix, vmatrix, amplitude, projection, cross product, dot product, parametri, sinx, cosx",
        6: "\\pi_, roots of unity, period_, complex number, omega, cis_, direction, rotat",
        3: "plane_, sphere, \\overline, tetrahedron",
    },
    "Number Theory": {
        14: "\\pmod, modulo, \\bmod, \\mod_, divisor, remainder, residue, \\gcd, congruent to, in base, base ten",
        9: "factors_, base_, \\equiv, repeating decimal, perfect square, units digit, prime factor, \\mathbb z",
        6: "decimal, divisible, digit of, greatest common, least common, multiple of, multiples, clock, coprime",
        4: "prime, digit, divided by, divides, integer solutions, divide, left over, representation of, palindrome",
        2: "positive integer, perfect, smallest, factor",
        1: "integer",
    },
    "Counting & Probability": {
        16: "probability, \\binom, \\choose, expected value, expected number, pascal, in how many ways, #factorial",
        10: "ways, at random, combinations, permutation, committee, coin, dice, die_, deck, handball, arrangements",
        6: "arrange, how many different, choose_, chosen, subsets, letters, at least one, expansion of, flip",
        4: "binomial, many different, how many three, how many four, digits, roll, coefficient of, pairs of, paths",
        2: "how many, number of, different, distinct, order, at least, even, odd, color, contain, selected, shook",
    },
    "Geometry": {
        10: "volume, triang, circle, trapezoid, inscribed, circumscribed, quadrilateral, parallelogram, surface area",
        7: "\\triangle, radius, diameter, pyramid, prism, cylind, cone_, hexagon, isosceles, altitude, perpendicular",
        6: "cube_, regular, area, vertices, tangent, sphere, rectang, hypotenuse, perimeter, octagon, pentagon, bisect",
        4: "\\angle, side, height, polygon, chord, arc_, edge, similar, degrees, \\circ, midpoint, line segment",
        2: "length, square_, cubic, measure, sw_, draw_, units_, asy_, ab_, cd_, ac_, bc_, pq_, parallel, congruent",
    },
    "Algebra": {
        9: "#power, polynomial, \\log, quadratic, logarithm, inequality, parabola, ellipse, hyperbola, compounded",
        7: "root, evaluate, equation, function, inverse of, inversely, domain of, solve_, geometric sequence",
        5: "#unknown, solution, real number, sequence, series, interest_, \\lfloor, \\lceil, slope, intercept",
        4: "system of, varies, value, coefficient, expression, graph, expand, terms_, complex_, distance between",
        2: "sum of, xy_, ax_, bx_, \\sqrt, \\frac, coordinate, defined, satisf, product, variable, simplify, dollars",
    },
    "Prealgebra": {
        9: "\\div, how much, average, round to, fraction of, percent, half_, discount, sale_",
        7: "how many more, cost, twice, each_, buy, bought, sold, sells, spend, spent, money, cents, left_",
        6: "simplify, calculate, what percent, price, hours, minutes, miles, pounds, gallon, ounces, nearest, per_",
        4: "total number, he_, she_, his_, her_, did_, total, every, much, times_, apples, books, third_, mean_",
        2: "how, what is the value, than_, there are, label, list, measure, need, had_, were_, people, they_",
    },
}
