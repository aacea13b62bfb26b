// A photo that can be enlarged and moved in its frame: by wheel, pinch, drag, double tap and keys.

const MOST = 6;
const STEP = 1.4;

export class Zoom {
  #stage;
  #image;
  #pointers = new Map();
  #scale = 1;
  #x = 0;
  #y = 0;

  constructor(stage) {
    this.#stage = stage;
    this.#image = stage.querySelector("img");
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      stage.addEventListener(end, (event) => this.#pointers.delete(event.pointerId));
    }
    stage.addEventListener("dblclick", (event) => this.#by(this.#scale > 1 ? 0 : 2.5, event.clientX, event.clientY));
    stage.addEventListener("keydown", (event) => this.#key(event));
  }

  open(source) {
    this.#image.src = source;
    this.#by(0);
  }

  // Enlarge by ``factor`` about a point of the window; 0 shows all of it.
  #by(factor, clientX, clientY) {
    const box = this.#stage.getBoundingClientRect();
    const before = this.#scale;
    this.#scale = Math.min(MOST, Math.max(1, before * factor));
    const about = (client, start, size) => (client === undefined ? 0 : client - start - size / 2);
    const grown = this.#scale / before;
    const [aboutX, aboutY] = [about(clientX, box.left, box.width), about(clientY, box.top, box.height)];
    this.#place(aboutX - (aboutX - this.#x) * grown, aboutY - (aboutY - this.#y) * grown);
  }

  #place(x, y) {
    const within = (value, size) => Math.max(-1, Math.min(1, value / size || 0)) * size;
    this.#x = within(x, (this.#stage.clientWidth * (this.#scale - 1)) / 2);
    this.#y = within(y, (this.#stage.clientHeight * (this.#scale - 1)) / 2);
    this.#image.style.transform = `translate(${this.#x}px, ${this.#y}px) scale(${this.#scale})`;
    this.#stage.classList.toggle("enlarged", this.#scale > 1);
  }

  #wheel(event) {
    event.preventDefault();
    this.#by(Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
  }

  #down(event) {
    this.#stage.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, event);
  }

  #move(event) {
    const last = this.#pointers.get(event.pointerId);
    if (!last) return;
    const other = [...this.#pointers.values()].find((pointer) => pointer.pointerId !== event.pointerId);
    this.#pointers.set(event.pointerId, event);
    if (!other) return this.#place(this.#x + event.clientX - last.clientX, this.#y + event.clientY - last.clientY);
    const apart = (pointer) => Math.hypot(pointer.clientX - other.clientX, pointer.clientY - other.clientY);
    const middle = (axis) => (event[axis] + other[axis]) / 2;
    this.#by(apart(event) / Math.max(1, apart(last)), middle("clientX"), middle("clientY"));
  }

  #key(event) {
    const by = { "+": STEP, "=": STEP, "-": 1 / STEP, 0: 0 }[event.key];
    const [x, y] = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [];
    if (by === undefined && x === undefined) return;
    event.preventDefault();
    if (by === undefined) this.#place(this.#x + 60 * x, this.#y + 60 * y);
    else this.#by(by);
  }
}
