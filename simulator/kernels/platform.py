"""The layout of a platform's arrays: rows of inputs, sums and outputs, and the features that its months may need."""

from __future__ import annotations

# Rows of a platform's inputs. The registry lists the same names in the same order (held by a test).
INPUT_ROWS = (
    "utilization", "throughput", "gpu_lifetime", "capex", "rental_price", "energy_price", "discount_rate", "power",
    "hosting_price", "throughput_degradation", "pue", "residual_value", "residual_decay", "failure_rate",
    "replacement_cost", "opex", "maintenance_rate", "availability", "idle_power_fraction", "software_gain",
    "software_gain_time", "deployment_time", "utilization_ramp", "hosting_escalation", "facility_capex",
    "facility_lifetime", "warranty", "peak_flops", "failure_epidemic", "fleet_size", "contracted_power_factor", "contract_term",
    "inflation", "tax_rate", "depreciation_life", "token_price", "token_price_decline", "input_token_price",
    "output_token_price", "cached_input_token_price", "cached_input_share", "target_margin", "carbon_intensity")
(UTILIZATION, THROUGHPUT, GPU_LIFETIME, CAPEX, RENTAL_PRICE, ENERGY_PRICE, DISCOUNT_RATE, POWER, HOSTING_PRICE,
 THROUGHPUT_DEGRADATION, PUE, RESIDUAL_VALUE, RESIDUAL_DECAY, FAILURE_RATE, REPLACEMENT_COST, OPEX, MAINTENANCE_RATE,
 AVAILABILITY, IDLE_POWER_FRACTION, SOFTWARE_GAIN, SOFTWARE_GAIN_TIME, DEPLOYMENT_TIME, UTILIZATION_RAMP,
 HOSTING_ESCALATION, FACILITY_CAPEX, FACILITY_LIFETIME, WARRANTY, PEAK_FLOPS, FAILURE_EPIDEMIC, FLEET_SIZE,
 CONTRACTED_POWER_FACTOR, CONTRACT_TERM, INFLATION, TAX_RATE, DEPRECIATION_LIFE, TOKEN_PRICE, TOKEN_PRICE_DECLINE,
 INPUT_TOKEN_PRICE, OUTPUT_TOKEN_PRICE, CACHED_INPUT_TOKEN_PRICE, CACHED_INPUT_SHARE, TARGET_MARGIN,
 CARBON_INTENSITY) = range(43)
# Two more rows: the product of the throughput factors, and the share of GPUs that still runs at retirement.
THROUGHPUT_FACTOR, SURVIVORS = 43, 44
ROWS = 45

# What a platform's months need beyond the plain sums (bits of `features`).
(RENTED, HAS_RAMP, HAS_GAIN, HAS_ESCALATION, HAS_WARRANTY, HAS_FACILITY, ENERGY_MOVES, RENT_MOVES, TOKEN_PRICE_MOVES,
 HAS_TOKEN_PRICE, HAS_DECLINE, HAS_TAX, RENT_IS_FIXED, HAS_TERM, HAS_FLEET, RETIRES, NOMINAL_DISCOUNT, NOMINAL_ESCALATION,
 NOMINAL_DECLINE, TOKEN_PRICES_APART) = (1 << k for k in range(20))
# How a bought platform is written off for tax.
STRAIGHT_LINE, MACRS_5, FULL_EXPENSING = range(3)

# Sums over months. S_: discounted by v_t; U_: undiscounted. "Missed": by the ramp, Σ … (1 − utilization_t/utilization).
# ALIVE: of the share of GPUs that still run, where failed ones are not replaced; else the same as TIME.
(S_TIME, S_ALIVE, S_MISSED, S_PRICE, S_PRICE_MISSED, S_HOSTING, S_COVERED, S_FAILED, S_RENT, S_TOKENS, S_DECLINED, S_SOLD, U_TIME,
 U_ALIVE, U_MISSED, U_TOKENS) = range(16)
TAX_ON_CAPITAL = 16  # no sum over months: what tax adds to the part of the capital [USD/GPU]
SUMS = 17
STATES = 17

# Outputs of a trial, in the order in which they are written.
OUTPUT_ROWS = (
    "cost_per_million_tokens", "cost_per_gpu_hour", "tokens_per_dollar", "tokens_per_second_per_megawatt",
    "tokens_per_second_per_facility_megawatt", "energy_per_million_tokens", "flops_per_dollar",
    "capex", "facility", "energy", "hosting", "operations", "replacement", "rent", "present_cost", "present_tokens",
    "gross_margin", "net_present_value", "net_present_value_per_megawatt", "payback", "minimum_price",
    "first_year_break_even_price", "carbon_per_million_tokens", "probability_of_loss", "probability_of_payback")
(COST_PER_MILLION, COST_PER_HOUR, TOKENS_PER_DOLLAR, TOKENS_PER_MEGAWATT, TOKENS_PER_FACILITY_MEGAWATT,
 ENERGY_PER_MILLION, FLOPS_PER_DOLLAR, PART_CAPEX, PART_FACILITY, PART_ENERGY, PART_HOSTING, PART_OPERATIONS,
 PART_REPLACEMENT, PART_RENT, PRESENT_COST, PRESENT_TOKENS, GROSS_MARGIN, NET_PRESENT_VALUE, NET_PRESENT_VALUE_PER_MEGAWATT,
 PAYBACK, MINIMUM_PRICE, FIRST_YEAR_BREAK_EVEN_PRICE, CARBON_PER_MILLION, LOSS, PAYS_BACK) = range(25)
OUTPUTS = 25

ROUNDING = 1e-9  # months: a term or a warranty of whole months ends with its last month
NEVER = 1e9  # years: the payback of what is never paid back
