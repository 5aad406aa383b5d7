(() => {
  "use strict";
  const INK = "#1a1a1a", COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#B07A00", "#56B4E9"];
  let loaded = null;
  const load = () => loaded ??= (async () => {
    const bytes = Uint8Array.from(atob(document.getElementById("plotly").textContent.trim()), c => c.charCodeAt(0));
    const text = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
    const script = document.createElement("script");
    script.textContent = text;
    document.head.append(script);
  })();
  const middle = values => { const v = [...values].sort((a, b) => a - b); return v.length ? v[Math.ceil(v.length / 2) - 1] : NaN; };
  const shown = value => Number(value.toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 });

  async function show(holder) {
    const data = JSON.parse(holder.querySelector("script").textContent);
    const inputs = data.names.length - data.costs, costs = data.values.slice(inputs), labels = data.names.slice(inputs);
    const count = costs[0].length;
    const cheapest = costs[0].map((_, k) => costs.reduce((best, of, p) => of[k] < costs[best][k] ? p : best, 0));
    const plot = holder.querySelector(".plot"), says = holder.querySelector(".says");
    const platform = holder.querySelector(".platform"), third = holder.querySelector(".third");
    labels.forEach((label, p) => platform.add(new Option(label, p)));
    const marks = ["●", "■", "◆", "✚", "✖", "▲", "▼", "◀", "▶", "◥", "◢", "◣"];
    if (data.costs > 1) for (const p of [...new Set(cheapest)].sort((a, b) => a - b)) {
      const mark = document.createElement("span");
      mark.style.color = COLOURS[p % COLOURS.length];
      mark.textContent = marks[p % marks.length];
      holder.querySelector(".key").append(mark, ` ${labels[p]} is the cheapest   `);
    }
    platform.value = data.best;
    third.add(new Option("all futures", ""));
    for (let k = 0; k < inputs; k++)
      for (const [word, end] of [["lowest", 0], ["highest", 1]]) third.add(new Option(`${data.names[k]}: ${word} third`, `${k}/${end}`));
    try { await load(); } catch { says.textContent = "This browser cannot unpack the explorer; the tables have the numbers."; return; }

    const tell = chosen => {
      const p = Number(platform.value), among = chosen ?? [...Array(count).keys()];
      const wins = among.filter(k => cheapest[k] === p).length;
      says.textContent = `${among.length} of ${count} futures: ${labels[p]} costs ${shown(middle(among.map(k => costs[p][k])))} USD per million tokens (median)`
        + (data.costs > 1 ? ` and is the cheapest in ${among.length ? shown(wins === among.length ? 100 : Math.min(100 * wins / among.length, 99.9)) : 0} %.` : ".");
    };
    const axis = (values, text, size) => {
      const low = Math.min(...values), high = Math.max(...values);
      return { title: { text: text && text.replace(/</g, "&lt;"), font: { size } }, gridcolor: "#e4e4e4", zeroline: false,
        type: low > 0 && high / low > 50 ? "log" : "linear" };
    };
    const mark = chosen => { Plotly.restyle(plot, { selectedpoints: [chosen] }); tell(chosen); };
    const draw = () => {
      const across = plot.clientWidth < 640 ? 1 : plot.clientWidth < 900 ? 2 : 3, down = Math.ceil(inputs / across), p = Number(platform.value);
      const traces = [], layout = {
        grid: { rows: down, columns: across, pattern: "independent", xgap: .14, ygap: .32 }, height: 60 + 260 * down, showlegend: false,
        dragmode: "select", margin: { l: 55, r: 10, t: 20, b: 45 }, paper_bgcolor: "#fff", plot_bgcolor: "#fff", font: { color: INK, size: 12 } };
      for (let k = 0; k < inputs; k++) {
        const n = k ? k + 1 : "";
        traces.push({ type: "scatter", mode: "markers", x: data.values[k], y: costs[p], xaxis: `x${n}`, yaxis: `y${n}`,
          marker: { size: 5, opacity: .7, color: cheapest.map(c => COLOURS[c % COLOURS.length]), symbol: cheapest },
          text: cheapest.map(c => `cheapest: ${labels[c].replace(/</g, "&lt;")}`), hovertemplate: "%{x} → %{y}<br>%{text}<extra></extra>",
          unselected: { marker: { opacity: .08 } } });
        layout[`xaxis${n}`] = axis(data.values[k], data.names[k], 11);
        layout[`yaxis${n}`] = axis(costs[p], k % across ? "" : "USD per million tokens", 11);
      }
      Plotly.react(plot, traces, layout, { displaylogo: false, responsive: true, modeBarButtons: [["select2d", "lasso2d", "zoom2d", "resetScale2d"]] });
      tell(null);
    };
    draw();
    plot.on("plotly_selected", event => mark(event && event.points ? [...new Set(event.points.map(point => point.pointIndex))] : null));
    plot.on("plotly_deselect", () => mark(null));
    platform.addEventListener("change", draw);
    third.addEventListener("change", () => {
      if (!third.value) return mark(null);
      const [k, end] = third.value.split("/").map(Number), order = [...Array(count).keys()].sort((a, b) => data.values[k][a] - data.values[k][b]);
      mark(end ? order.slice(-Math.floor(count / 3)) : order.slice(0, Math.floor(count / 3)));
    });
  }
  const seen = new IntersectionObserver(entries => entries.filter(entry => entry.isIntersecting).forEach(entry => {
    seen.unobserve(entry.target);
    show(entry.target);
  }), { rootMargin: "600px" });
  document.querySelectorAll(".explorer").forEach(holder => seen.observe(holder));
})();
