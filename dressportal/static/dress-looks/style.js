// The look of the gallery and of the viewer. Sizes are in em, so that they follow the page's text.

const sheet = new CSSStyleSheet(); // allowed where a page's policy forbids <style>
sheet.replaceSync(`
  :host {
    --dl-accent: var(--dress-looks-accent, currentColor);
    --dl-gap: var(--dress-looks-gap, .75em);
    --dl-radius: var(--dress-looks-radius, .25em);
    --dl-mat: color-mix(in srgb, currentColor 9%, transparent);
    --dl-quiet: color-mix(in srgb, currentColor 76%, transparent);
    display: block;
    font-family: var(--dress-looks-font, inherit);
    line-height: 1.45;
  }
  :host([hidden]), [hidden] { display: none !important; }
  *, ::before, ::after { box-sizing: border-box; }
  h2, h3, p, ul, figure { margin: 0; padding: 0; }
  h2, h3, b { font-weight: 500; line-height: 1.2; font-family: var(--dress-looks-title-font, inherit); text-wrap: balance; }
  h2, h3 { font-size: 1.563em; }
  ul { list-style: none; }
  img { display: block; max-width: 100%; }
  a { color: inherit; text-underline-offset: .2em; }
  button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
  :focus-visible { outline: 3px solid var(--dl-accent); outline-offset: 2px; }

  header { display: flex; align-items: baseline; justify-content: space-between; gap: 1em; margin-bottom: 1em; }
  header span { text-align: end; color: var(--dl-quiet); font-variant-numeric: tabular-nums; }
  section + section, section + div > section { margin-top: 3em; }

  .wall { position: relative; row-gap: var(--dl-gap); }
  .wall li { position: absolute; overflow: hidden; border-radius: var(--dl-radius); background: var(--dl-mat); }
  .wall button { display: block; width: 100%; height: 100%; }
  .wall button:focus-visible { outline-offset: -3px; }
  .wall img { width: 100%; height: 100%; object-fit: cover; transition: scale .2s; }
  .wall li:hover img { scale: 1.02; }
  .credit {
    position: absolute; left: 0; bottom: 0; max-width: 100%; padding: .55em .8em;
    overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
    border-top-right-radius: var(--dl-radius); background: rgb(28 16 24 / 82%); color: #fbf5ec;
    font-size: .8em; text-decoration: none;
  }
  a.credit:hover { text-decoration: underline; }
  .wait { animation: breathe 1.4s ease-in-out infinite alternate; }
  @keyframes breathe { to { opacity: .45; } }

  .notice { padding: 2.5em 1.5em; border-radius: var(--dl-radius); background: var(--dl-mat); text-align: center; }
  .notice p + button { margin-top: 1em; }
  .pill {
    display: inline-block; min-height: 2.75em; padding: .6em 1.6em; border: 1px solid currentColor;
    border-radius: 2em; font-weight: 600; text-align: center; text-decoration: none;
  }
  .more { display: block; margin: 1.5em auto 0; }
  .pill:hover { background: var(--dl-mat); }
  .pill:disabled { opacity: .6; cursor: progress; }
  .pill.main { border-color: var(--dl-accent); background: var(--dl-accent); color: var(--dress-looks-on-accent, Canvas); }
  .pill.main:hover { filter: brightness(1.08); }

  .strip {
    display: flex; gap: 1em; padding: 3px 3px .75em; margin: 0 -3px; overflow-x: auto;
    scroll-snap-type: x proximity; scroll-padding: 3px; scrollbar-width: thin;
  }
  .strip li { flex: 0 0 clamp(8em, 20%, 12em); scroll-snap-align: start; }
  .card { display: block; text-decoration: none; }
  .card img, .card .blank {
    width: 100%; height: auto; aspect-ratio: 3 / 4; object-fit: cover; border-radius: var(--dl-radius); background: var(--dl-mat);
  }
  .card b { display: block; margin-top: .5em; }
  .card:hover b { text-decoration: underline; }
  .card small { display: block; font-size: .85em; color: var(--dl-quiet); font-variant-numeric: tabular-nums; }

  dialog {
    width: 100%; height: 100%; max-width: none; max-height: none; margin: 0; padding: 0; border: 0;
    overflow: hidden auto; overscroll-behavior: contain; background: var(--dress-looks-paper, Canvas); color: var(--dress-looks-ink, CanvasText);
  }
  dialog::backdrop { background: rgb(20 10 18 / 72%); }
  dialog figure { position: relative; background: #170d16; touch-action: pan-y; }
  dialog figure img { width: 100%; height: 62vh; object-fit: contain; }
  .side { display: grid; gap: 1em; align-content: start; padding: 1.5em 1.25em 2em; }
  .side h3 { overflow-wrap: anywhere; }
  .side h3 + p { margin-top: -.75em; color: var(--dl-quiet); }
  .caption { white-space: pre-line; overflow-wrap: anywhere; }
  .offer { display: grid; gap: 1em; padding-top: 1.25em; border-top: 1px solid var(--dl-mat); }
  .offer .card.wide { display: grid; grid-template-columns: 5.5em 1fr; gap: 0 1em; align-items: center; }
  .offer .strip li { flex-basis: 7.5em; }
  .round {
    position: absolute; display: grid; place-items: center; width: 1.85em; height: 1.85em; border-radius: 50%;
    background: rgb(28 16 24 / 82%); color: #fbf5ec; font: 1.5em/1 sans-serif; z-index: 1;
  }
  .round[aria-disabled=true] { opacity: .3; cursor: default; }
  .close { position: fixed; top: .5em; right: .5em; }
  .previous { left: .5em; top: calc(50% - .9em); }
  .next { right: .5em; top: calc(50% - .9em); }

  @media (min-width: 52em) {
    dialog {
      width: min(94vw, 72em); height: min(92vh, 52em); margin: auto; border-radius: var(--dl-radius); overflow: hidden;
    }
    dialog[open] { display: grid; grid-template-columns: 1fr 24em; grid-template-rows: 100%; }
    dialog figure img { height: 100%; }
    .side { padding: 4em 2em 2em; overflow: hidden auto; overscroll-behavior: contain; }
    .close { position: absolute; }
  }
  @media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
`);

export default sheet;
