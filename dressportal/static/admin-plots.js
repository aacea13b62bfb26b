/* The admin's pictures. Rows come as JSON in the page; the table beside each picture says the same in words. */

const { Plot, d3 } = globalThis;
const PHONE = 500;
const percent = (share) => `${(100 * share).toFixed(share > 0.99 && share < 1 ? 1 : 0)}%`;
const count = d3.format(",");
const dates = (rows) => rows.map((row) => ({ ...row, day: new Date(`${row.day}T00:00:00Z`) }));
const most = (rows, name) => rows.reduce((a, b) => (b[name] > a[name] ? b : a));
const dayTicks = { type: "utc", label: null, ticks: 5, tickFormat: d3.utcFormat("%-d %b") };
const shareAxis = { label: null, tickFormat: percent, grid: true, ticks: 4 };

/* The least that holds every interval, in tenths, so that a difference can be seen; never a false zoom. */
function room(rows) {
  const low = Math.floor(d3.min(rows, (row) => row.low) * 10) / 10;
  const high = Math.ceil(d3.max(rows, (row) => row.high) * 10) / 10;
  return [low, Math.max(high, low + 0.1)];
}

const drawings = {
  days(rows) {
    const days = dates(rows);
    return {
      height: 180,
      x: dayTicks,
      y: { axis: null },
      marks: [
        Plot.rectY(days, { x: "day", interval: "day", y: "count", href: "href", className: "mark" }),
        Plot.text([most(days, "count")], { x: (row) => +row.day + 432e5, y: "count", text: (row) => count(row.count), dy: -8 }),
        Plot.ruleY([0]),
      ],
    };
  },

  hours(rows) {
    return {
      height: 180,
      x: { label: null, ticks: [0, 6, 12, 18, 24], tickFormat: (hour) => `${hour}:00` },
      y: { axis: null },
      marks: [
        Plot.rectY(rows, { x1: (row) => row.hour, x2: (row) => row.hour + 1, y: "count", insetLeft: 1, href: "href", className: "mark" }),
        Plot.text([most(rows, "count")], { x: (row) => row.hour + 0.5, y: "count", text: (row) => count(row.count), dy: -8 }),
        Plot.ruleY([0]),
      ],
    };
  },

  shares(rows) {
    const days = dates(rows);
    const last = days.at(-1);
    return {
      height: 180,
      marginRight: 48,
      x: dayTicks,
      y: { ...shareAxis, domain: room(rows) },
      marks: [
        Plot.areaY(days, { x: "day", y1: "low", y2: "high", className: "band" }),
        ...(days.length === 1 ? [Plot.ruleX(days, { x: "day", y1: "low", y2: "high" })] : []),
        Plot.lineY(days, { x: "day", y: "share", strokeWidth: 1.5 }),
        Plot.dot(days, { x: "day", y: "share", r: 3.5, fill: "currentColor", href: "href", className: "mark" }),
        Plot.text([last], { x: "day", y: "share", text: (row) => percent(row.share), dx: 10, textAnchor: "start", className: "label" }),
      ],
    };
  },

  batches(rows) {
    const bars = rows.flatMap((row) => row.bars);
    const size = { x: "count", y: "batch", fx: "state" };
    return {
      height: 40 + 26 * rows.length,
      marginLeft: 78,
      marginRight: 32,
      marginTop: 28,
      fx: { label: null, axis: "top", domain: ["open", "settled", "disputed"], padding: 0.22 },
      x: { axis: null, domain: [0, 1.5 * d3.max(bars, (bar) => bar.count)] }, // room for the numbers
      y: { label: null, domain: rows.map((row) => row.bars[0].batch), tickSize: 0, padding: 0.25 },
      marks: [
        ...["open", "settled", "disputed"].map((state) =>
          Plot.barX(bars.filter((bar) => bar.state === state), { ...size, href: "href", className: `mark ${state}` }),
        ),
        Plot.text(bars, { ...size, text: (bar) => count(bar.count), dx: 5, textAnchor: "start", href: "href", className: "label" }),
      ],
    };
  },

  bars(rows) {
    return {
      height: 16 + 26 * rows.length,
      marginLeft: 90,
      marginRight: 40,
      x: { axis: null },
      y: { label: null, domain: rows.map((row) => row.name), tickSize: 0, padding: 0.25 },
      marks: [
        Plot.barX(rows, { x: "count", y: "name", href: "href", className: "mark" }),
        Plot.text(rows, { x: "count", y: "name", text: (row) => count(row.count), dx: 5, textAnchor: "start", href: "href", className: "label" }),
      ],
    };
  },

  voters(rows, width) {
    const place = { y: "key" };
    const names = new Map(rows.map((row) => [row.key, row.voter]));
    const muted = rows.filter((row) => row.muted);
    const short = (name) => (width < PHONE && name.length > 14 ? `${name.slice(0, 13)}…` : name);
    return {
      height: 36 + 18 * rows.length,
      marginLeft: width < PHONE ? 104 : 150,
      marginRight: 56,
      x: { ...shareAxis, domain: [Math.min(0.5, room(rows)[0]), 1], axis: "top", ticks: 5 },
      y: { label: null, type: "band", domain: rows.map((row) => row.key), tickFormat: (key) => short(names.get(key)), tickSize: 0 },
      marks: [
        Plot.ruleY(rows, { ...place, x1: "low", x2: "high", strokeWidth: 1.5, className: "interval" }),
        Plot.dot(rows.filter((row) => !row.muted), { ...place, x: "estimate", r: 4, fill: "currentColor", href: "href", className: "mark" }),
        Plot.dot(muted, { ...place, x: "estimate", r: 4, symbol: "times", strokeWidth: 2, href: "href", className: "mark muted" }),
        Plot.text(muted, { ...place, x: "high", text: () => "muted", dx: 6, textAnchor: "start", className: "label muted" }),
      ],
    };
  },

  diagram(rows) {
    const from = Math.floor(d3.min(rows, (row) => row.stated) * 50) / 50; // most verdicts are nearly sure
    const start = Math.min(from, room(rows)[0]);
    return {
      height: 320,
      marginLeft: 48,
      marginRight: 24,
      marginTop: 32,
      marginBottom: 48,
      x: { ...shareAxis, domain: [from, 1], label: "we said →", labelOffset: 40, ticks: 4 },
      y: { ...shareAxis, domain: [start, 1], label: "↑ we were right", ticks: 5 },
      marks: [
        Plot.link([{ from }], { x1: "from", y1: "from", x2: 1, y2: 1, strokeDasharray: "3 4", className: "ideal" }),
        Plot.ruleX(rows, { x: "stated", y1: "low", y2: "high", strokeWidth: 1.5, className: "interval" }),
        Plot.dot(rows, { x: "stated", y: "real", r: 4, fill: "currentColor", href: "href", className: "mark" }),
        Plot.text(rows, { x: "stated", y: "low", text: (row) => count(row.count), dy: 10, className: "label" }),
      ],
    };
  },

  density(rows) {
    const { low, high, estimate } = rows[0];
    const start = Math.max(0, Math.min(0.5, Math.floor(low * 10 - 1) / 10));
    const within = rows.filter((row) => row.x >= low && row.x <= high);
    return {
      height: 200,
      x: { ...shareAxis, grid: false, domain: [start, 1], ticks: 6 },
      y: { axis: null },
      marks: [
        Plot.areaY(within, { x: "x", y: "y", className: "band" }),
        Plot.lineY(rows.filter((row) => row.x >= start), { x: "x", y: "y", strokeWidth: 1.5 }),
        Plot.ruleX([estimate], { className: "mark" }),
        Plot.text([{ x: estimate, y: most(rows, "y").y }], { x: "x", y: "y", text: () => percent(estimate), dy: -8, className: "label" }),
        Plot.ruleY([0]),
      ],
    };
  },
};

/* Plot brings a style element, which the content security policy forbids: admin-portal.css has its rules. */
function draw(place) {
  const rows = JSON.parse(document.getElementById(place.dataset.rows).textContent);
  const width = place.clientWidth;
  const figure = Plot.plot({ width, marginTop: 20, className: "plot-drawing", ...drawings[place.dataset.kind](rows, width) });
  for (const style of figure.querySelectorAll("style")) style.remove();
  for (const link of figure.querySelectorAll("a")) link.setAttribute("tabindex", "-1");
  place.replaceChildren(figure);
}

const seen = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    if (contentRect.width && target.drawnAt !== contentRect.width) {
      target.drawnAt = contentRect.width;
      draw(target);
    }
  }
});
for (const place of document.querySelectorAll(".plot")) seen.observe(place);
