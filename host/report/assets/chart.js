// The numbers under the pointer, or beside the keys' cursor: each series of a chart carries its
// points as "x y", "x y mean" or "x y low high" (host/report/chart.cpp).
const tip = document.body.appendChild(document.createElement('div'));
tip.className = 'tip';
tip.hidden = true;
const grouped = (text) => {
  const value = Number(text);
  return Number.isInteger(value) ? value.toLocaleString('en').replaceAll(',', '\u202f') : text;
};
const marker = (svg, kind, attributes) => {
  const element = document.createElementNS(svg.namespaceURI, kind);
  for (const name in attributes) element.setAttribute(name, attributes[name]);
  return svg.appendChild(element);
};
for (const svg of document.querySelectorAll('svg.chart')) {
  const [left, right, top, bottom, x0, x1, y0, y1] = svg.dataset.frame.split(' ').map(Number);
  const series = [...svg.querySelectorAll('.series')].map((g) => {
    const points = g.dataset.points.split(';').filter(Boolean).map((p) => p.split(' '));
    return {name: g.dataset.name, colour: g.dataset.colour, points, x: points.map((p) => +p[0])};
  }).filter((s) => s.points.length);
  if (!series.length) continue;
  const places = [...new Set(series.flatMap((s) => s.x))].sort((a, b) => a - b);
  const nearest = (all, x) => {
    let low = 0, high = all.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (all[middle] < x) low = middle; else high = middle;
    }
    return x - all[low] <= all[high] - x ? low : high;
  };
  const atX = (x) => left + (x - x0) / (x1 - x0) * (right - left);
  const atY = (y) => bottom - (y - y0) / (y1 - y0) * (bottom - top);
  let marks = [], place = -1;
  const hide = () => {
    marks.forEach((m) => m.remove());
    marks = [];
    place = -1;
    tip.hidden = true;
  };
  const row = (colour, text) => {
    const line = tip.appendChild(document.createElement('div'));
    line.append(text);
    if (colour) line.className = 'key ' + colour;
  };
  const show = (index) => {
    if (index === place) return;
    hide();
    place = index;
    const x = places[index], reach = (x1 - x0) / 50;
    tip.replaceChildren();
    marks.push(marker(svg, 'line', {class: 'cursor', x1: atX(x), x2: atX(x), y1: top, y2: bottom}));
    series.forEach((s) => {
      const k = nearest(s.x, x);
      if (Math.abs(s.x[k] - x) > reach) return;
      const [at, y, second, third] = s.points[k];
      if (!tip.firstChild) row('', `${grouped(String(x))} ${svg.dataset.x}`);
      const shown = third === undefined && second !== undefined ? second : y;
      const beside = third !== undefined ? ` (${second} to ${third})`
        : second !== undefined ? `, unsmoothed ${y}` : '';
      row(s.colour, `${s.name}: ${grouped(shown)}${beside}`);
      marks.push(marker(svg, 'circle',
                        {class: 'cursor ' + s.colour, cx: atX(+at), cy: atY(+shown), r: 4}));
    });
    tip.hidden = false;
    const frame = svg.getBoundingClientRect(), scale = frame.width / svg.viewBox.baseVal.width;
    const middle = frame.left + atX(x) * scale, gap = 12;
    const beside = middle + gap + tip.offsetWidth < document.documentElement.clientWidth
      ? middle + gap : middle - gap - tip.offsetWidth;
    tip.style.left = Math.max(4, beside) + 'px';
    // Where there is little room, above the lines in place of beside the pointer.
    const above = document.documentElement.clientWidth < 560 ? tip.offsetHeight : 0;
    tip.style.top = Math.max(4, frame.top + top * scale - above) + 'px';
  };
  const follow = (event) => {
    const frame = svg.getBoundingClientRect();
    const at = (event.clientX - frame.left) / frame.width * svg.viewBox.baseVal.width;
    show(nearest(places, x0 + (at - left) / (right - left) * (x1 - x0)));
  };
  svg.addEventListener('pointermove', follow);
  svg.addEventListener('pointerdown', follow);
  svg.addEventListener('pointerleave', hide);
  svg.addEventListener('blur', hide);
  svg.addEventListener('keydown', (event) => {
    const last = places.length - 1;
    const steps = {ArrowRight: place + 1, ArrowLeft: place < 0 ? last : place - 1, Home: 0, End: last};
    if (event.key === 'Escape') hide();
    if (!(event.key in steps)) return;
    event.preventDefault();
    show(Math.min(last, Math.max(0, steps[event.key])));
  });
  addEventListener('scroll', hide, {passive: true});
}
