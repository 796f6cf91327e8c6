// The numbers under the pointer, or beside the keys' cursor: each series of a chart carries its
// points as "x y", "x y mean" or "x y low high" (host/report/chart.cpp). Dragging across a chart, or
// the key +, shows a part of it, a double click, - or Escape all of it again.
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
// Ticks at 1, 2 or 5 times a power of ten, about so many, from low to high.
const ticks = (low, high, wanted) => {
  const raw = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({length: Math.floor(high / step + 1e-9) - first + 1}, (_, i) => (first + i) * step);
};
const tickText = (value) => Number(value.toPrecision(9)).toLocaleString(
  'en', {notation: Math.abs(value) < 1e4 ? 'standard' : 'compact', maximumSignificantDigits: 6})
  .replace(/,/g, '\u202f').replace('K', ' k').replace(/([MBT])$/, ' $1');
// A function that shows the part of a chart from a to b, or all of it; `changed` hears of the view.
const zoomOf = (svg, frame, whole, series, changed) => {
  const {left, right, top, bottom} = frame;
  const drawn = [...svg.querySelectorAll('.series, path.band, line.level')];
  const still = [...svg.querySelectorAll('.tick, .grid, .axis')]
    .filter((e) => !(e.classList.contains('axis') && e.getAttribute('y1') === e.getAttribute('y2')));
  let axes = null, clip = null;
  // An inner <svg> shows nothing outside its frame unless it is told to.
  const wrapped = () => {
    const [width, height] = [right - left, bottom - top + 8];
    const group = marker(svg, 'svg', {x: left, y: top - 4, width, height,
                                      viewBox: `${left} ${top - 4} ${width} ${height}`});
    Object.assign(group.style, {width: width + 'px', height: height + 'px'});
    svg.insertBefore(group, drawn[0]);
    drawn.forEach((e) => group.appendChild(e));
    return group;
  };
  return (a = whole[0], b = whole[1]) => {
    const isWhole = a <= whole[0] && b >= whole[1];
    const shown = series.flatMap((s) => s.points.filter((p) => +p[0] >= a && +p[0] <= b))
      .flatMap((p) => p.slice(1).map(Number));
    if (!isWhole && (!shown.length || b <= a)) return;
    axes?.remove();
    axes = null;
    clip ??= wrapped();
    clip.style.overflow = isWhole ? 'visible' : 'hidden';
    let [x0, x1, y0, y1] = whole;
    if (!isWhole) {
      [x0, x1, y0, y1] = [a, b, Math.min(...shown), Math.max(...shown)];
      const edge = (y1 - y0) / 20 || (whole[3] - whole[2]) / 20;
      [y0, y1] = [y0 - edge, y1 + edge];
    }
    const sx = (whole[1] - whole[0]) / (x1 - x0), sy = (whole[3] - whole[2]) / (y1 - y0);
    const tx = left - (left + (x0 - whole[0]) / (whole[1] - whole[0]) * (right - left)) * sx;
    const ty = bottom - (bottom - (y0 - whole[2]) / (whole[3] - whole[2]) * (bottom - top)) * sy;
    drawn.forEach((e) => e.setAttribute('transform', `matrix(${sx} 0 0 ${sy} ${tx} ${ty})`));
    still.forEach((e) => { e.style.display = isWhole ? '' : 'none'; });
    svg.classList.toggle('zoomed', !isWhole);
    if (!isWhole) {
      axes = document.createElementNS(svg.namespaceURI, 'g');
      svg.insertBefore(axes, clip);
      const text = (x, y, anchor, value) => axes.appendChild(
        marker(svg, 'text', {class: 'tick', x, y, 'text-anchor': anchor})).append(tickText(value));
      for (const y of ticks(y0, y1, 5)) {
        const at = bottom - (y - y0) / (y1 - y0) * (bottom - top);
        axes.appendChild(marker(svg, 'line', {class: 'grid', x1: left, x2: right, y1: at, y2: at}));
        text(left - 8, at + 4, 'end', y);
      }
      for (const x of ticks(x0, x1, right - left > 500 ? 8 : 4)) {
        const at = left + (x - x0) / (x1 - x0) * (right - left);
        axes.appendChild(marker(svg, 'line', {class: 'axis', x1: at, x2: at, y1: bottom, y2: bottom + 4}));
        text(at, bottom + 18, 'middle', x);
      }
    }
    changed([x0, x1, y0, y1]);
  };
};
for (const svg of document.querySelectorAll('svg.chart')) {
  const [left, right, top, bottom, ...whole] = svg.dataset.frame.split(' ').map(Number);
  let [x0, x1, y0, y1] = whole;
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
  const reach = () => (x1 - x0) / 50;
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
    if (places[index] < x0 || places[index] > x1) return;
    place = index;
    const x = places[index];
    tip.replaceChildren();
    marks.push(marker(svg, 'line', {class: 'cursor', x1: atX(x), x2: atX(x), y1: top, y2: bottom}));
    series.forEach((s) => {
      const k = nearest(s.x, x);
      if (Math.abs(s.x[k] - x) > reach()) return;
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
  const xUnder = (event) => {
    const frame = svg.getBoundingClientRect();
    const at = (event.clientX - frame.left) / frame.width * svg.viewBox.baseVal.width;
    return x0 + (Math.min(right, Math.max(left, at)) - left) / (right - left) * (x1 - x0);
  };
  const zoom = zoomOf(svg, {left, right, top, bottom}, whole, series, (view) => {
    hide();
    [x0, x1, y0, y1] = view;
  });
  let from = null, band = null;
  const drop = () => {
    band?.remove();
    from = band = null;
  };
  const follow = (event) => {
    const x = xUnder(event);
    if (from === null || event.buttons !== 1) {
      drop();
      return show(nearest(places, x));
    }
    hide();
    band ??= marker(svg, 'rect', {class: 'zoom', y: top, height: bottom - top});
    band.setAttribute('x', Math.min(atX(from), atX(x)));
    band.setAttribute('width', Math.abs(atX(x) - atX(from)));
  };
  svg.addEventListener('pointerdown', (event) => {
    if (event.pointerType === 'mouse' && event.button === 0) from = xUnder(event);
  });
  svg.addEventListener('pointerup', (event) => {
    const to = xUnder(event), begin = from;
    const wide = band && Math.abs(atX(to) - atX(begin)) > 8;
    drop();
    if (wide) zoom(Math.min(begin, to), Math.max(begin, to));
  });
  svg.addEventListener('dblclick', () => zoom());
  svg.addEventListener('pointermove', follow);
  svg.addEventListener('pointerdown', follow);
  svg.addEventListener('pointerleave', () => {
    hide();
    drop();
  });
  svg.addEventListener('blur', hide);
  svg.addEventListener('keydown', (event) => {
    const last = places.length - 1;
    const steps = {ArrowRight: place + 1, ArrowLeft: place < 0 ? last : place - 1, Home: 0, End: last};
    if (event.key === 'Escape') hide();
    if (event.key === 'Escape' || event.key === '-') zoom();
    if (event.key === '+') {
      const middle = place < 0 ? (x0 + x1) / 2 : places[place], half = (x1 - x0) / 4;
      zoom(Math.max(whole[0], middle - half), Math.min(whole[1], middle + half));
    }
    if (!(event.key in steps)) return;
    event.preventDefault();
    show(Math.min(last, Math.max(0, steps[event.key])));
  });
  addEventListener('scroll', hide, {passive: true});
}
