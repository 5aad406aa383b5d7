"""Words of the report, and what the model does not know: the same in every report."""

GLOSSARY = (
    ("Cost of a million tokens", "All costs of a platform over its life, discounted, ÷ all tokens that it serves, discounted: the "
     "price that would just cover its cost (levelized cost)."),
    ("Future, trial", "One draw of everything that is uncertain. All platforms are looked at in the same futures."),
    ("P5, P50, P95", "Percentiles: the cost is at most P5 in 5 % of futures, P50 (the median) in half, P95 in 95 %."),
    ("Range, error", "The range, P5 to P95, is what the world may do. The error of the simulation is what more trials would shrink."),
    ("Mean of the dearest 5 %", "What the worst twentieth of futures costs on average (expected shortfall)."),
    ("Regret", "What a platform costs more than the cheapest one of the same future, on average."),
    ("Dominance", "A platform dominates another at first order if its cost is lower at every percentile; at second order if it is "
     "lower on average over every worst tail, so that nobody who dislikes risk would choose the other."),
    ("Tornado", "The cost with one input at its P10 and at its P90, all others at their medians."),
    ("Shapley effect", "The share of the spread that is owed to an input, what goes together with it shared out evenly. Effects add "
     "to 100 %."),
    ("Value of information", "What it would be worth, at most, to know an input (or everything) before choosing."),
    ("Break-even value", "The value of an input at which each of two platforms is cheaper in half of the futures."),
    ("Utilization", "Share of the capacity that is sold as delivered tokens."),
    ("Operating point", "Model, precision, lengths of input and output, and speed for each user at which throughput is measured."),
    ("Grade", "How good the evidence of an input is: primary (measured, or a contract), analyst, weak, judgement."),
)
KNOWN_LIMITS = (
    "Costs are those of one GPU and its share of everything around it, in real US dollars; a fleet is many of the same.",
    "Not in the model: take-or-pay energy, hedges of a fixed volume, tranches of debt, payments during construction, embodied carbon, "
    "property tax and tariffs, the next platform after this one's life.",
    "Ranges are only as good as the evidence and the judgement behind them: see the grades. What goes together and is not stated "
    "makes ranges too narrow or too wide.",
)
