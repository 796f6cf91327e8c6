// Plays a film: the JSON before it holds the figures of all frames, see host/rendering/replay.h.
for (const root of document.querySelectorAll('.replay')) {
  const film = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const canvas = root.querySelector('canvas'), button = root.querySelector('button');
  const slider = root.querySelector('input'), speed = root.querySelector('select');
  const pen = canvas.getContext('2d'), dense = Math.max(1, window.devicePixelRatio || 1) * 1.5;
  canvas.width = film.width * dense;
  canvas.height = film.height * dense;
  const trace = (f) => {
    pen.beginPath();
    for (let i = 2; i < f.length; i += 2) pen.lineTo(f[i], f[i + 1]);
  };
  const hull = (x, y, r, u, v, s) => {
    const d = Math.hypot(u - x, v - y);
    pen.beginPath();
    if (d <= Math.abs(r - s)) {
      if (r >= s) pen.arc(x, y, r, 0, 7); else pen.arc(u, v, s, 0, 7);
      return;
    }
    const way = Math.atan2(v - y, u - x), side = Math.acos((r - s) / d);
    pen.arc(x, y, r, way + side, way - side);
    pen.arc(u, v, s, way - side, way + side);
    pen.closePath();
  };
  const figure = (f) => {
    const style = film.styles[f[1]];
    pen.fillStyle = style.fill;
    if (f[0] == 3) {
      pen.font = `${style.size}px system-ui, sans-serif`;
      pen.textAlign = style.align;
      pen.textBaseline = 'middle';
      pen.fillText(f[4], f[2], f[3]);
    } else if (f[0] == 2) {
      pen.strokeStyle = style.fill;
      pen.lineWidth = style.width;
      trace(f);
      pen.stroke();
    } else {
      const edge = style.width || 0;
      if (f[0] == 0) {
        const g = f.length == 5 ? f.concat(f.slice(2)) : f;
        hull(g[2], g[3], Math.max(0, g[4] - edge / 2), g[5], g[6], Math.max(0, g[7] - edge / 2));
      } else {
        trace(f);
        pen.closePath();
      }
      pen.fill();
      if (!edge) return;
      pen.strokeStyle = style.edge;
      pen.lineWidth = edge;
      pen.stroke();
    }
  };
  const draw = () => {
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.fillStyle = film.background;
    pen.fillRect(0, 0, film.width, film.height);
    pen.lineCap = pen.lineJoin = 'round';
    for (const k of film.frames[slider.value]) figure(film.figures[k]);
  };
  const last = film.frames.length - 1;
  let playing = false, at = 0, before = 0;
  const play = (on) => {
    playing = on;
    button.textContent = on ? 'Pause' : 'Play';
    if (!on) return;
    if (at >= last) at = 0;
    before = performance.now();
    requestAnimationFrame(tick);
  };
  const tick = (now) => {
    if (!playing) return;
    at += Math.max(0, now - before) / 1000 * film.fps * speed.value;
    before = now;
    if (at >= last + film.fps) at = 0;
    slider.value = Math.min(last, Math.floor(at));
    draw();
    requestAnimationFrame(tick);
  };
  slider.max = last;
  slider.value = 0;
  slider.oninput = () => { play(false); at = +slider.value; draw(); };
  button.onclick = () => play(!playing);
  draw();
  if (!matchMedia('(prefers-reduced-motion: reduce)').matches) play(true);
}
