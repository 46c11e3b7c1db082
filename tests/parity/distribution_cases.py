"""Distributions to compare: how each is made of a namespace's module D and tensors p of the values given here."""

LOC, SCALE = [[-1.0, 0.3, 2.0], [0.5, -0.2, 1.1]], [[0.4, 1.0, 2.5], [0.9, 1.7, 0.3]]
POSITIVE, OTHER = [[0.4, 1.0, 7.5], [0.9, 2.2, 30.0]], [[1.3, 0.6, 2.0], [5.0, 0.08, 11.0]]
PROBS, LOGITS = [[0.1, 0.5001, 0.9], [0.35, 0.72, 0.02]], [[-2.0, 0.4, 3.0], [0.1, -0.6, 1.2]]
VECTOR, FACTOR = [0.4, -1.0, 2.0], [[1.2, 0.0, 0.0], [0.4, 0.8, 0.0], [-0.3, 0.2, 1.5]]
COVARIANCE = [[2.0, 0.3, -0.4], [0.3, 1.0, 0.2], [-0.4, 0.2, 1.5]]
THIN = [[0.5, 1.0], [-0.3, 0.2], [1.1, -0.4]]
WEIGHTS = [[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]]

CASES = {
    "Normal": (lambda D, p: D.Normal(*p), LOC, SCALE),
    "Normal of numbers": (lambda D, p: D.Normal(0.5, 2.0),),
    "Normal broadcast": (lambda D, p: D.Normal(p[0], 0.7), LOC),
    "LogNormal": (lambda D, p: D.LogNormal(*p), LOC, SCALE),
    "HalfNormal": (lambda D, p: D.HalfNormal(*p), SCALE),
    "Laplace": (lambda D, p: D.Laplace(*p), LOC, SCALE),
    "Cauchy": (lambda D, p: D.Cauchy(*p), LOC, SCALE),
    "HalfCauchy": (lambda D, p: D.HalfCauchy(*p), SCALE),
    "Gumbel": (lambda D, p: D.Gumbel(*p), LOC, SCALE),
    "StudentT": (lambda D, p: D.StudentT(*p), [[0.7, 1.5, 9.0], [2.5, 4.0, 30.0]], LOC, SCALE),
    "Uniform": (lambda D, p: D.Uniform(*p), LOC, [[0.5, 1.0, 2.5], [0.9, 1.7, 3.0]]),
    "Exponential": (lambda D, p: D.Exponential(*p), POSITIVE),
    "Gamma": (lambda D, p: D.Gamma(*p), POSITIVE, OTHER),
    "Chi2": (lambda D, p: D.Chi2(*p), POSITIVE),
    "InverseGamma": (lambda D, p: D.InverseGamma(*p), [[2.4, 3.0, 7.5], [3.9, 2.2, 30.0]], OTHER),
    "FisherSnedecor": (lambda D, p: D.FisherSnedecor(*p), POSITIVE, [[3.0, 5.0, 9.0], [1.0, 12.0, 4.5]]),
    "Weibull": (lambda D, p: D.Weibull(*p), SCALE, POSITIVE),
    "Pareto": (lambda D, p: D.Pareto(*p), SCALE, [[0.8, 2.5, 3.0], [1.5, 5.0, 9.0]]),
    "Beta": (lambda D, p: D.Beta(*p), POSITIVE, OTHER),
    "Dirichlet": (lambda D, p: D.Dirichlet(*p), POSITIVE),
    "Kumaraswamy": (
        lambda D, p: D.Kumaraswamy(*p),
        [[0.4, 1.0, 2.5], [2.0, 3.0, 1.5]], [[1.3, 0.6, 2.0], [5.0, 1.8, 3.0]],
    ),
    "LogisticNormal": (lambda D, p: D.LogisticNormal(*p), LOC, SCALE),
    "Bernoulli": (lambda D, p: D.Bernoulli(*p), PROBS),
    "Bernoulli of logits": (lambda D, p: D.Bernoulli(logits=p[0]), LOGITS),
    "Geometric": (lambda D, p: D.Geometric(*p), PROBS),
    "Geometric of logits": (lambda D, p: D.Geometric(logits=p[0]), LOGITS),
    "Binomial": (lambda D, p: D.Binomial(7, *p), PROBS),
    "Binomial of logits": (lambda D, p: D.Binomial(40, logits=p[0]), LOGITS),
    "NegativeBinomial": (lambda D, p: D.NegativeBinomial(*p), POSITIVE, PROBS),
    "Poisson": (lambda D, p: D.Poisson(*p), [[0.3, 2.0, 9.0], [11.0, 30.0, 200.0]]),
    "Categorical": (lambda D, p: D.Categorical(*p), PROBS),
    "Categorical of logits": (lambda D, p: D.Categorical(logits=p[0]), LOGITS),
    "OneHotCategorical": (lambda D, p: D.OneHotCategorical(*p), PROBS),
    "OneHotCategorical of logits": (lambda D, p: D.OneHotCategorical(logits=p[0]), LOGITS),
    "straight through": (lambda D, p: D.OneHotCategoricalStraightThrough(*p), PROBS),
    "Multinomial": (lambda D, p: D.Multinomial(5, *p), PROBS),
    "RelaxedBernoulli": (lambda D, p: D.RelaxedBernoulli(p[0], p[1]), [0.7], PROBS),
    "RelaxedOneHot": (lambda D, p: D.RelaxedOneHotCategorical(p[0], logits=p[1]), [0.7], LOGITS),
    "MultivariateNormal": (lambda D, p: D.MultivariateNormal(*p), VECTOR, COVARIANCE),
    "MultivariateNormal of precision": (
        lambda D, p: D.MultivariateNormal(p[0], precision_matrix=p[1]), LOC, COVARIANCE,
    ),
    "MultivariateNormal of a factor": (lambda D, p: D.MultivariateNormal(p[0], scale_tril=p[1]), LOC, FACTOR),
    "LowRank": (lambda D, p: D.LowRankMultivariateNormal(*p), LOC, THIN, [0.5, 1.0, 0.2]),
    "Independent": (lambda D, p: D.Independent(D.Normal(*p), 1), LOC, SCALE),
    "mixture": (
        lambda D, p: D.MixtureSameFamily(D.Categorical(p[0]), D.Normal(p[1], p[2])),
        WEIGHTS, LOC, SCALE,
    ),
    "mixture of vectors": (
        lambda D, p: D.MixtureSameFamily(D.Categorical(logits=p[0]), D.Independent(D.Normal(p[1], p[2]), 1)),
        [0.3, -0.4], LOC, SCALE,
    ),
    "transformed": (
        lambda D, p: D.TransformedDistribution(
            D.Uniform(0.0, 1.0).expand([3]), [D.SigmoidTransform().inv, D.AffineTransform(p[0], p[1])]
        ),
        VECTOR, [0.5, 1.5, 2.0],
    ),
    "transformed falling": (
        lambda D, p: D.TransformedDistribution(D.Normal(p[0], p[1]), [D.TanhTransform(), D.AffineTransform(0.5, -0.7)]),
        [-0.3, 0.1, 0.4], [0.5, 0.8, 0.3],
    ),
    "transformed vectors": (
        lambda D, p: D.TransformedDistribution(D.Normal(p[0], p[1]), D.StickBreakingTransform()), LOC, SCALE,
    ),
}  # fmt: skip

TRANSFORMS = {
    "exp": (lambda T: T.ExpTransform(), (4,)),
    "power": (lambda T: T.PowerTransform(2.5), (4,)),
    "sigmoid": (lambda T: T.SigmoidTransform(), (4,)),
    "softplus": (lambda T: T.SoftplusTransform(), (4,)),
    "tanh": (lambda T: T.TanhTransform(), (4,)),
    "abs": (lambda T: T.AbsTransform(), (4,)),
    "affine": (lambda T: T.AffineTransform(0.3, -2.0), (4,)),
    "affine of vectors": (lambda T: T.AffineTransform(0.3, -2.0, event_dim=1), (2, 4)),
    "inverse": (lambda T: T.ExpTransform().inv, (4,)),
    "compose": (lambda T: T.ComposeTransform([T.AffineTransform(0.1, 0.5), T.ExpTransform()]), (4,)),
    "compose with vectors": (lambda T: T.ComposeTransform([T.TanhTransform(), T.StickBreakingTransform()]), (2, 4)),
    "independent": (lambda T: T.IndependentTransform(T.TanhTransform(), 1), (2, 4)),
    "softmax": (lambda T: T.SoftmaxTransform(), (2, 4)),
    "stick breaking": (lambda T: T.StickBreakingTransform(), (2, 4)),
    "reshape": (lambda T: T.ReshapeTransform((4,), (2, 2)), (3, 4)),
    "lower cholesky": (lambda T: T.LowerCholeskyTransform(), (2, 3, 3)),
    "positive definite": (lambda T: T.PositiveDefiniteTransform(), (2, 3, 3)),
    "correlation": (lambda T: T.CorrCholeskyTransform(), (2, 6)),
    "cat": (lambda T: T.CatTransform([T.ExpTransform(), T.TanhTransform()], 0, [1, 3]), (4, 2)),
    "stack": (lambda T: T.StackTransform([T.ExpTransform(), T.TanhTransform()], 1), (4, 2)),
}  # fmt: skip

ONE = {
    "Beta": ([1.3, 2.0], [0.7, 3.0]), "Exponential": ([1.5, 0.3],), "Gamma": ([1.3, 2.0], [0.7, 3.0]),
    "Gumbel": ([0.3, -1.0], [0.7, 3.0]), "Laplace": ([0.3, -1.0], [0.7, 3.0]), "Normal": ([0.3, -1.0], [0.7, 3.0]),
    "Pareto": ([0.3, 0.2], [2.7, 3.0]), "Uniform": ([0.1, 0.25], [0.7, 0.75]), "Poisson": ([1.5, 3.0],),
    "Bernoulli": ([0.2, 0.7],), "Categorical": ([0.2, 0.7],), "OneHotCategorical": ([0.2, 0.7],),
    "Geometric": ([0.2, 0.7],), "Cauchy": ([0.3, -1.0], [0.7, 3.0]), "HalfNormal": ([0.3, 1.0],),
    "Dirichlet": ([0.3, 1.0],), "LogNormal": ([0.3, -1.0], [0.7, 3.0]),
}  # fmt: skip
