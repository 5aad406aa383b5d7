/* The model of the benchmark's study in C: what speed is measured against. Two bought platforms, one price of energy.

   Written for speed by hand: vectors of trials held in registers through all months, exponential and logarithm of glibc's
   vectorised libm, xoshiro256++ on every lane, normals by Box and Muller, beta and gamma by cubic tables over the normal,
   recurrences for all powers of time, and what both platforms share (discounting, the price) computed once. A group of lanes
   stops at its own longest life. Chunks are dealt to threads by OpenMP; their random numbers depend on the chunk alone.
   Money is in real USD per GPU; months, years and hours as in docs/model.md. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__AVX512F__)
#define LANES 8
#define LIBM(name) _ZGVeN8v_##name
#elif defined(__AVX2__)
#define LANES 4
#define LIBM(name) _ZGVdN4v_##name
#else
#define LANES 2
#define LIBM(name) _ZGVbN2v_##name
#endif
typedef double vec __attribute__((vector_size(8 * LANES)));
typedef int64_t ints __attribute__((vector_size(8 * LANES)));
typedef uint64_t words __attribute__((vector_size(8 * LANES)));
vec LIBM(exp)(vec);
vec LIBM(log)(vec);
#define vexp LIBM(exp)
#define vlog LIBM(log)

enum { MONTHS = 182, CHUNK = 1024, BINS = 4096, PLATFORMS = 2, TABLE = 512 };
static const double HOURS = 8766.0 / 12, SECONDS = 3600 * 8766.0 / 12, REACH = 7.04, QUARTER_TURN = 1.5707963267948966;
static const double TO_WHOLE = 6755399441055744.0; /* 1.5 · 2^52: adding it rounds to a whole number, kept in the low bits */

/* Inputs in the order of benchmarks/reference.py; those of a platform follow the shared ones. */
enum { UTILIZATION, DISCOUNT_RATE, DEGRADATION, SHARED };
enum { LIFE, THROUGHPUT, FACTOR, GAIN, GAIN_TIME, DEPLOYMENT, RAMP, AVAILABILITY, POWER, IDLE, PUE, CAPEX, FACILITY_CAPEX,
       FACILITY_LIFE, HOSTING, ESCALATION, OPEX, MAINTENANCE, FAILURE, REPLACEMENT, WARRANTY, RESIDUAL, DECAY, FLOPS, INPUTS };
enum { CONSTANT, UNIFORM, TRIANGULAR, LOGNORMAL, TABULATED };
/* Ranked rows: the ratio of costs, then seven outputs a platform. Means alone: parts, present cost and tokens, comparisons. */
enum { OUTPUTS = 7, PARTS = 6, RANKED = 1 + OUTPUTS * PLATFORMS, MEANS = (PARTS + 2) * PLATFORMS + 1 + 2 * PLATFORMS };
enum { QUANTILES = 7 };
static const double PROBABILITY[QUANTILES] = {0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95};
static const int MORE_IS_BETTER[RANKED] = {0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1}; /* then the worst 5 % are the least */

typedef struct { int64_t family; double a, b, c; } Input;
typedef struct { double kappa, sigma, median, delivery, hedged, horizon; } Process;
typedef struct { words s[4]; vec spare; int has_spare; } Random;

static inline vec choose(ints mask, vec a, vec b) { return (vec)(((ints)a & mask) | ((ints)b & ~mask)); }
static inline vec vmin(vec a, vec b) { return choose(a < b, a, b); }
static inline vec vmax(vec a, vec b) { return choose(a > b, a, b); }
static inline vec broadcast(double x) { return x - (vec){0}; }
static inline vec vsqrt(vec x) { for (int i = 0; i < LANES; i++) x[i] = __builtin_sqrt(x[i]); return x; }
static inline vec vfloor(vec x) { for (int i = 0; i < LANES; i++) x[i] = __builtin_floor(x[i]); return x; }
static inline double largest(vec x) { double y = x[0]; for (int i = 1; i < LANES; i++) y = x[i] > y ? x[i] : y; return y; }
static inline double smallest(vec x) { double y = x[0]; for (int i = 1; i < LANES; i++) y = x[i] < y ? x[i] : y; return y; }

/* --- random numbers ------------------------------------------------------------------------------------------------ */

static uint64_t split_mix(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static void seed_chunk(Random *r, uint64_t seed, int64_t chunk) {
    uint64_t state = seed ^ ((uint64_t)chunk * 0xD1342543DE82EF95u + 1);
    for (int i = 0; i < LANES; i++)
        for (int k = 0; k < 4; k++) r->s[k][i] = split_mix(&state);
    r->has_spare = 0;
}

static inline vec uniform(Random *r) { /* the middles of 2^52 cells of (0, 1) */
    words *s = r->s, sum = s[0] + s[3], t = s[1] << 17, x = (sum << 23 | sum >> 41) + s[0];
    s[2] ^= s[0]; s[3] ^= s[1]; s[1] ^= s[2]; s[0] ^= s[3]; s[2] ^= t; s[3] = s[3] << 45 | s[3] >> 19;
    return (vec)(x >> 12 | 0x3FF0000000000000u) - (1 - 0x1p-53);
}

static inline void two_normals(Random *r, vec *first, vec *second) {
    vec radius = vsqrt(-2 * vlog(uniform(r))), turn = 4 * uniform(r), rounded = turn + TO_WHOLE;
    vec y = (turn - (rounded - TO_WHOLE)) * QUARTER_TURN, z = y * y; /* |y| ≤ π/4: Taylor's series to 2e-17 */
    vec s = y + y * z * (-1.0 / 6 + z * (1.0 / 120 + z * (-1.0 / 5040 + z * (1.0 / 362880 + z * (-1.0 / 39916800
            + z * (1.0 / 6227020800 - z / 1307674368000))))));
    vec c = 1 + z * (-0.5 + z * (1.0 / 24 + z * (-1.0 / 720 + z * (1.0 / 40320 + z * (-1.0 / 3628800
            + z * (1.0 / 479001600 - z / 87178291200))))));
    /* Of the quarter turns: an odd number swaps the two; one and two turn the cosine's sign, two and three the sine's. */
    ints quarter = (ints)rounded, odd = -(quarter & 1);
    ints cosine_sign = ((quarter + 1) & 2) << 62, sine_sign = (quarter & 2) << 62;
    *first = radius * (vec)((ints)choose(odd, s, c) ^ cosine_sign);
    *second = radius * (vec)((ints)choose(odd, c, s) ^ sine_sign);
}

static inline vec normal(Random *r) {
    vec x;
    if (r->has_spare) { r->has_spare = 0; return r->spare; }
    two_normals(r, &x, &r->spare);
    r->has_spare = 1;
    return x;
}

static inline vec from_table(const double *table, vec z) {
    vec position = (z + REACH) * (TABLE / (2 * REACH)), c0, c1, c2, c3;
    position = vmin(vmax(position, broadcast(0)), broadcast(TABLE - 0x1p-30));
    vec k = vfloor(position), s = position - k;
    for (int i = 0; i < LANES; i++) {
        const double *row = table + 4 * (int64_t)k[i];
        c0[i] = row[0]; c1[i] = row[1]; c2[i] = row[2]; c3[i] = row[3];
    }
    return c0 + s * (c1 + s * (c2 + s * c3));
}

static inline vec draw(Random *r, const Input *in, const double *tables) {
    if (in->family == UNIFORM) return in->a + (in->b - in->a) * uniform(r);
    if (in->family == TRIANGULAR) {
        vec u = uniform(r);
        double width = in->c - in->a, rise = in->b - in->a;
        ints rising = u * width < broadcast(rise);
        vec root = vsqrt(width * choose(rising, u * rise, (1 - u) * (in->c - in->b)));
        return choose(rising, in->a + root, in->c - root);
    }
    if (in->family == LOGNORMAL) return in->a * vexp(in->b * normal(r));
    if (in->family == TABULATED) return in->b + in->c * from_table(tables + (int64_t)in->a * 4 * TABLE, normal(r));
    return broadcast(in->a);
}

/* --- the model ----------------------------------------------------------------------------------------------------- */

/* Present value of 1 a month, paid mid-month, the last month by its fraction; `growth` is log(1 + rate). */
static inline vec annuity(vec growth, vec years) {
    vec step = growth / 12, months = 12 * years, whole = vfloor(months), last = vexp(-whole * step);
    return vexp(-step / 2) * ((1 - last) / (1 - vexp(-step)) + (months - whole) * last);
}

/* Sums over months, discounted but for the plain ones; "missed" is what the ramp takes, as a share of utilization. */
typedef struct { vec time, spot, missed, spot_missed, hosting, covered, tokens, plain_tokens, plain_missed; } Sums;

/* v, spot  of each month: discounting from the first token on, and that times e^{x − μ} */
static inline Sums sum_over_months(const vec *x, vec growth, vec lost, vec months, const vec *v, const vec *spot) {
    Sums sum = {0};
    /* performance_t is the difference of two powers of time, (1 + g)(1 − degradation)^y − g (1 − degradation)^y e^{−y/τ}. */
    vec rise = 1 / (12 * x[GAIN_TIME]), rising_step = vexp(lost - rise), grown_step = vexp(lost), half = vexp(-lost / 2);
    vec grown = (1 + x[GAIN]) * half, rising = x[GAIN] * half * vexp(rise / 2);
    vec escalation = vlog(1 + x[ESCALATION]) / 12 - growth / 12;
    vec hosted_step = vexp(escalation), hosted = vexp(-escalation / 2), ramp = 1 / (12 * vmax(x[RAMP], broadcast(1e-9)));
    vec warranty = 12 * x[WARRANTY] + 1e-9;
    int whole = (int)smallest(months), last = (int)ceil(largest(months)), t = 1;
    int special = (int)ceil(fmax(largest(warranty), 12 * largest(x[RAMP]) + 0.5));
    for (; t <= last && t <= special; t++) { /* warranty and ramp: with all that a month may need */
        vec w = vmin(vmax(months - (t - 1), broadcast(0)), broadcast(1)), vw = v[t] * w;
        vec reached = vmin(ramp * (t - 0.5), broadcast(1)), missed = (1 - reached) * w;
        grown *= grown_step; rising *= rising_step; hosted *= hosted_step;
        vec performance = (grown - rising) * w * reached;
        sum.time += vw; sum.spot += spot[t] * w; sum.hosting += hosted * w;
        sum.covered += choose(broadcast(t) <= warranty, vw, broadcast(0));
        sum.plain_missed += missed; sum.missed += v[t] * missed; sum.spot_missed += spot[t] * missed;
        sum.plain_tokens += performance; sum.tokens += v[t] * performance;
    }
    for (; t <= whole; t++) {
        grown *= grown_step; rising *= rising_step; hosted *= hosted_step;
        vec performance = grown - rising;
        sum.time += v[t]; sum.spot += spot[t]; sum.hosting += hosted;
        sum.plain_tokens += performance; sum.tokens += v[t] * performance;
    }
    for (; t <= last; t++) {
        vec w = vmin(vmax(months - (t - 1), broadcast(0)), broadcast(1));
        grown *= grown_step; rising *= rising_step; hosted *= hosted_step;
        vec performance = (grown - rising) * w;
        sum.time += v[t] * w; sum.spot += spot[t] * w; sum.hosting += hosted * w;
        sum.plain_tokens += performance; sum.tokens += v[t] * performance;
    }
    return sum;
}

/* One group of LANES trials: its ranked rows to ranked[row][at…], the others added to means[row]. */
static void simulate_group(Random *r, const Input *inputs, const double *tables, const Process *p, double (*ranked)[CHUNK],
                           int at, vec *means) {
    vec shared[SHARED], x[PLATFORMS][INPUTS], months[PLATFORMS], v[MONTHS], spot[MONTHS], costs[PLATFORMS];
    for (int k = 0; k < SHARED; k++) shared[k] = draw(r, inputs + k, tables);
    double longest = 0;
    for (int k = 0; k < PLATFORMS; k++) {
        for (int i = 0; i < INPUTS; i++) x[k][i] = draw(r, inputs + SHARED + k * INPUTS + i, tables);
        months[k] = 12 * vmin(x[k][LIFE], broadcast(p->horizon));
        longest = fmax(longest, largest(months[k]));
    }
    vec growth = vlog(1 + shared[DISCOUNT_RATE]), lost = vlog(1 - shared[DEGRADATION]) / 12;
    vec v_step = vexp(-growth / 12), deviation = {0};
    double kept = exp(-p->kappa / 12), shock = p->sigma * sqrt((1 - kept * kept) / (2 * p->kappa));
    int last = (int)ceil(longest);
    for (int t = 1; t <= last; t += 2) two_normals(r, &spot[t], &spot[t + 1]);
    v[0] = vexp(growth / 24);
    for (int t = 1; t <= last; t++) {
        deviation = kept * deviation + shock * spot[t];
        v[t] = v[t - 1] * v_step;
        spot[t] = v[t] * vexp(deviation);
    }
    /* What is paid for energy: fixed + moving · e^{x − μ}, the hedge at the stationary mean. */
    double fixed = p->delivery + p->hedged * p->median * exp(p->sigma * p->sigma / (4 * p->kappa));
    double moving = (1 - p->hedged) * p->median;
    for (int k = 0; k < PLATFORMS; k++) {
        const vec *in = x[k];
        Sums sum = sum_over_months(in, growth, lost, months[k], v, spot);
        vec wait = vexp(-growth * in[DEPLOYMENT]), life = months[k] / 12, time = wait * sum.time;
        vec fresh = in[THROUGHPUT] * in[FACTOR], a_month = fresh * shared[UTILIZATION] * in[AVAILABILITY] * SECONDS;
        vec sold = a_month * wait * sum.tokens, full = in[POWER] * in[AVAILABILITY] * in[PUE] * HOURS;
        vec idle = in[IDLE], used = (1 - idle) * shared[UTILIZATION];
        vec paid = wait * (fixed * sum.time + moving * sum.spot), missed = wait * (fixed * sum.missed + moving * sum.spot_missed);
        vec recovered = in[RESIDUAL] * vexp(-in[DECAY] * life - growth * life) * wait;
        vec part[PARTS] = {
            in[CAPEX] - in[CAPEX] * recovered,
            in[FACILITY_CAPEX] * in[POWER] * time / annuity(growth, in[FACILITY_LIFE]),
            full * (idle * paid + used * (paid - missed)),
            in[POWER] * in[HOSTING] * wait * sum.hosting,
            time / 12 * (in[OPEX] + in[MAINTENANCE] * in[CAPEX]),
            in[REPLACEMENT] * in[CAPEX] * in[FAILURE] / 12 * (time - wait * sum.covered)};
        vec cost = part[0] + part[1] + part[2] + part[3] + part[4] + part[5], per_million = 1e6 / sold;
        vec hourly = cost / (HOURS * time), per_megawatt = 1000 * fresh / in[POWER];
        vec output[OUTPUTS] = {
            cost * per_million, hourly, sold / cost, per_megawatt, per_megawatt / in[PUE],
            1e6 * full * (idle * months[k] + used * (months[k] - sum.plain_missed)) / (a_month * sum.plain_tokens),
            in[FLOPS] / hourly};
        costs[k] = output[0];
        for (int o = 0; o < OUTPUTS; o++) memcpy(&ranked[1 + OUTPUTS * k + o][at], &output[o], sizeof(vec));
        vec *of_platform = means + (PARTS + 2) * k;
        for (int o = 0; o < PARTS; o++) of_platform[o] += part[o] * per_million;
        of_platform[PARTS] += cost; of_platform[PARTS + 1] += sold;
    }
    vec ratio = costs[1] / costs[0], least = vmin(costs[0], costs[1]), one = broadcast(1), none = {0};
    vec *compared = means + (PARTS + 2) * PLATFORMS;
    memcpy(&ranked[0][at], &ratio, sizeof(vec));
    compared[0] += choose(costs[1] < costs[0], one, none);
    compared[1] += choose(costs[0] < costs[1], one, none); compared[2] += choose(costs[1] < costs[0], one, none);
    compared[3] += costs[0] - least; compared[4] += costs[1] - least;
}

static void simulate_chunk(Random *r, const Input *inputs, const double *tables, const Process *p, double (*ranked)[CHUNK],
                           double *means) {
    vec sums[MEANS] = {{0}};
    for (int at = 0; at < CHUNK; at += LANES) simulate_group(r, inputs, tables, p, ranked, at, sums);
    for (int m = 0; m < MEANS; m++)
        for (int i = 0; i < LANES; i++) means[m] += sums[m][i];
}

/* --- statistics ---------------------------------------------------------------------------------------------------- */

static double order_statistic(double *x, int64_t n, int64_t rank) { /* rank from 0; Hoare's selection, in place */
    int64_t low = 0, high = n - 1;
    while (low < high) {
        double pivot = x[(low + high) / 2];
        int64_t i = low, j = high;
        while (i <= j) {
            while (x[i] < pivot) i++;
            while (x[j] > pivot) j--;
            if (i <= j) { double kept = x[i]; x[i++] = x[j]; x[j--] = kept; }
        }
        if (rank <= j) high = j; else if (rank >= i) low = i; else break;
    }
    return x[rank];
}

static inline int bin_of(double x, double low, double per_width) {
    double b = (x - low) * per_width;
    return b < 0 ? 0 : b > BINS - 1 ? BINS - 1 : (int)b;
}

/* The quantiles of a row from its counts, by selection within their bins, and the mean of its worst 5 %. */
static void finish_row(const double *x, int64_t n, const int64_t *counts, double low, double per_width, int more_is_better,
                       double *quantiles, double *tail_mean) {
    int bin[QUANTILES], at = 0, edge = more_is_better ? 0 : QUANTILES - 1;
    int64_t below[QUANTILES], reached = 0, size = 0, filled = 0;
    unsigned char *wanted = calloc(BINS, 1);
    for (int q = 0; q < QUANTILES; q++) {
        int64_t rank = (int64_t)ceil(n * PROBABILITY[q]);
        while (reached + counts[at] < rank) reached += counts[at++];
        bin[q] = at; below[q] = reached;
        if (!wanted[at]) { wanted[at] = 1; size += counts[at]; }
    }
    double *kept = malloc(size * sizeof(double)), *room = malloc(size * sizeof(double)), beyond = 0;
    for (int64_t i = 0; i < n; i++) {
        int b = bin_of(x[i], low, per_width);
        if (wanted[b]) kept[filled++] = x[i];
        beyond += (more_is_better ? b < bin[edge] : b > bin[edge]) ? x[i] : 0.0;
    }
    for (int q = 0; q < QUANTILES; q++) {
        int64_t found = 0;
        for (int64_t i = 0; i < filled; i++) if (bin_of(kept[i], low, per_width) == bin[q]) room[found++] = kept[i];
        quantiles[q] = order_statistic(room, found, (int64_t)ceil(n * PROBABILITY[q]) - 1 - below[q]);
        if (q != edge) continue;
        int64_t count = more_is_better ? below[q] : n - below[q] - found;
        for (int64_t i = 0; i < found; i++)
            if (more_is_better ? room[i] < quantiles[q] : room[i] > quantiles[q]) { beyond += room[i]; count++; }
        beyond += (0.05 * n - count) * quantiles[q]; /* the boundary trial by its fraction */
    }
    *tail_mean = beyond / (0.05 * n);
    free(wanted); free(kept); free(room);
}

/* Simulate, and find the statistics where they are wanted. `trials` is a multiple of CHUNK.
   rows       [RANKED][trials], filled
   means      [MEANS], filled; moments [RANKED][2]: mean and sd; quantiles [RANKED][QUANTILES + 1], the last the worst 5 % */
void run(int64_t trials, uint64_t seed, const Input *inputs, const double *tables, const Process *process, int with_statistics,
         double *rows, double *means, double *moments, double *quantiles) {
    double low[RANKED], per_width[RANKED], centre[RANKED], (*pilot)[CHUNK] = aligned_alloc(64, sizeof(double[RANKED][CHUNK]));
    double total[MEANS] = {0}, sums[RANKED] = {0}, squares[RANKED] = {0};
    int64_t *counts = calloc(RANKED * BINS, sizeof(int64_t)), chunks = trials / CHUNK;
    Random start;
    seed_chunk(&start, seed, 0);
    simulate_chunk(&start, inputs, tables, process, pilot, (double[MEANS]){0});
    for (int row = 0; row < RANKED; row++) { /* bins over what one chunk shows, and a quarter of it at each end */
        double least = pilot[row][0], most = least, sum = 0;
        for (int i = 0; i < CHUNK; i++) {
            least = fmin(least, pilot[row][i]); most = fmax(most, pilot[row][i]); sum += pilot[row][i];
        }
        double width = most > least ? most - least : 1;
        low[row] = least - width / 4; per_width[row] = BINS / (1.5 * width); centre[row] = sum / CHUNK;
    }
#pragma omp parallel
    {
        double (*ranked)[CHUNK] = aligned_alloc(64, sizeof(double[RANKED][CHUNK]));
        double own_total[MEANS] = {0}, own_sums[RANKED] = {0}, own_squares[RANKED] = {0};
        int64_t *own = calloc(RANKED * BINS, sizeof(int64_t));
#pragma omp for schedule(dynamic, 4)
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            Random random;
            seed_chunk(&random, seed, chunk);
            simulate_chunk(&random, inputs, tables, process, ranked, own_total);
            for (int row = 0; row < RANKED; row++) {
                memcpy(rows + row * trials + chunk * CHUNK, ranked[row], sizeof ranked[row]);
                if (!with_statistics) continue;
                double sum = 0, square = 0;
#pragma omp simd reduction(+ : sum, square)
                for (int i = 0; i < CHUNK; i++) { double d = ranked[row][i] - centre[row]; sum += d; square += d * d; }
                own_sums[row] += sum; own_squares[row] += square;
                for (int i = 0; i < CHUNK; i++) own[row * BINS + bin_of(ranked[row][i], low[row], per_width[row])]++;
            }
        }
#pragma omp critical
        {
            for (int m = 0; m < MEANS; m++) total[m] += own_total[m];
            for (int row = 0; row < RANKED; row++) { sums[row] += own_sums[row]; squares[row] += own_squares[row]; }
            for (int k = 0; k < RANKED * BINS; k++) counts[k] += own[k];
        }
        free(ranked); free(own);
    }
    for (int m = 0; m < MEANS; m++) means[m] = total[m] / trials;
    if (with_statistics) {
        for (int row = 0; row < RANKED; row++) {
            double offset = sums[row] / trials;
            moments[2 * row] = centre[row] + offset;
            moments[2 * row + 1] = sqrt((squares[row] - trials * offset * offset) / (trials - 1));
        }
#pragma omp parallel for schedule(dynamic, 1)
        for (int row = 0; row < RANKED; row++)
            finish_row(rows + row * trials, trials, counts + row * BINS, low[row], per_width[row], MORE_IS_BETTER[row],
                       quantiles + row * (QUANTILES + 1), quantiles + row * (QUANTILES + 1) + QUANTILES);
    }
    free(counts); free(pilot);
}
