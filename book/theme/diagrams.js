'use strict';

// Draws the sequence diagrams. Each figure.diagram has a div.drawing whose data- attributes say what to draw, and a list that says the same in
// words: it folds away once the drawing is there, and stays open where there is none.
//
// mermaid gives lines, boxes and texts; which process, kind of arrow or kind of note each is, is added here as a class, and the style sheet
// colours it. A change of theme therefore needs no new drawing.

window.forkloreDiagrams = (() => {
  let loading = null;
  let count = 0;

  function mermaid() {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement('script');
      script.src = `${path_to_root}mermaid/mermaid.min.js`;
      script.onload = () => {
        resolve(window.mermaid);
      };
      script.onerror = () => reject(new Error('mermaid could not be loaded'));
      document.head.append(script);
    });
    return loading;
  }

  // Many lanes stand closer together.
  function settings(lanes) {
    const width = lanes > 4 ? 96 : lanes > 3 ? 112 : 130;
    return {
      startOnLoad: false,
      securityLevel: 'strict',
      theme: 'base',
      fontSize: 13,
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue('--sans'),
      sequence: {
        useMaxWidth: false,
        mirrorActors: false,
        width,
        height: 38,
        actorMargin: lanes > 4 ? 22 : 36,
        boxMargin: 8,
        noteMargin: 8,
        messageMargin: 30,
        diagramMarginX: 12,
        diagramMarginY: 6,
      },
    };
  }

  const words = (list) => (list ? list.split(' ') : []);

  function dress(svg, lanes, arrows, notes) {
    const dressAll = (selector, dressOne) => [...svg.querySelectorAll(selector)].forEach(dressOne);
    lanes.forEach((colour, lane) => {
      dressAll(`[name="p${lane}"]`, (part) => {
        part.classList.add(`voice-${colour}`);
        part.parentElement.querySelectorAll('text.actor').forEach((text) => text.classList.add(`voice-${colour}`));
      });
    });
    dressAll('.messageLine0, .messageLine1', (line, index) => {
      const [kind, colour] = (arrows[index] ?? '').split('/');
      line.classList.add(`kind-${kind}`, `voice-${colour}`);
    });
    const kind = (note) => (note === 'step' || note === 'fold' ? note : 'voice');
    dressAll('rect.note', (box, index) => box.classList.add(`note-${kind(notes[index])}`, `voice-${notes[index]}`));
    // A note of several lines has a text for each: they stand behind its box, in the same group.
    dressAll('rect.note', (box, index) => {
      for (let next = box.nextElementSibling; next && next.matches('.noteText'); next = next.nextElementSibling) {
        next.classList.add(`text-${kind(notes[index])}`);
      }
    });
  }

  // A step is a band across the picture, with its title at the left.
  function widen(svg) {
    const { x, width } = svg.viewBox.baseVal;
    for (const band of svg.querySelectorAll('rect.note-step')) {
      band.setAttribute('x', x + 4);
      band.setAttribute('width', width - 8);
    }
    for (const text of svg.querySelectorAll('.text-step, .text-step tspan')) {
      text.setAttribute('x', x + 16);
      text.style.textAnchor = 'start';
    }
  }

  // What a process says in several lines begins at the left, as in its transcript.
  function alignLeft(svg) {
    for (const box of svg.querySelectorAll('rect.note-voice')) {
      const texts = [...box.parentElement.querySelectorAll('.noteText')];
      if (texts.length < 2) continue;
      const widest = Math.max(...texts.map((text) => text.getBBox().width));
      const x = Number(box.getAttribute('x')) + (Number(box.getAttribute('width')) - widest) / 2;
      for (const part of texts.flatMap((text) => [text, ...text.querySelectorAll('tspan')])) {
        part.setAttribute('x', x);
        part.style.textAnchor = 'start';
      }
    }
  }

  // Draws `what`, { mermaid, lanes, arrows, notes }, into a figure.
  async function draw(figure, what) {
    const drawing = figure.querySelector('.drawing');
    const library = await mermaid();
    library.initialize(settings(what.lanes.length));
    const { svg } = await library.render(`forklore-drawing-${++count}`, what.mermaid);
    drawing.innerHTML = svg;
    const picture = drawing.querySelector('svg');
    picture.removeAttribute('role');
    picture.removeAttribute('aria-roledescription');
    picture.setAttribute('aria-hidden', 'true');
    const box = picture.viewBox.baseVal;
    picture.setAttribute('width', box.width);
    picture.setAttribute('height', box.height);
    dress(picture, what.lanes, what.arrows, what.notes);
    widen(picture);
    drawing.hidden = false;
    alignLeft(picture);
    if (drawing.scrollWidth > drawing.clientWidth) drawing.tabIndex = 0;
    else drawing.removeAttribute('tabindex');
  }

  const recorded = ({ dataset }) => ({
    mermaid: dataset.mermaid,
    lanes: words(dataset.lanes),
    arrows: words(dataset.arrows),
    notes: words(dataset.notes),
  });

  async function drawRecorded(figure) {
    await draw(figure, recorded(figure.querySelector('.drawing')));
  }

  // The page with all chapters is for paper, and asks for the printer as soon as it is there: it says in words what the diagrams show.
  const forPaper = location.pathname.endsWith('/print.html');
  const figures = forPaper ? [] : [...document.querySelectorAll('figure.diagram')];
  const done = (async () => {
    for (const figure of figures) {
      try {
        await drawRecorded(figure);
        figure.querySelector('details.words').open = false;
      } catch (error) {
        console.error(`${figure.id}: ${error}`); // the words stay
      }
    }
  })();

  return { draw, drawRecorded, done };
})();
