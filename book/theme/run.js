// "Run it here", and new pages when the book was built again. Only a book that `cargo book` serves has this script: it puts it into the
// pages, and into a lab's chapter the number of the lab that may run. What the server says is described in
// tools/bookshelf/src/serve/word.rs.
'use strict';

(() => {
  const { build } = document.currentScript.dataset;
  if (!build) return; // nobody serves this page who could run anything
  const number = document.querySelector('meta[name="forklore-run"]')?.content;
  const panel = number && document.querySelector('.run-here');
  const prediction = document.querySelector('section.prediction');

  /** An element with properties and children: `make('p', { className: 'note' }, 'text', child)`. */
  function make(name, properties, ...children) {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children.filter((child) => child !== null));
    return element;
  }

  const button = (label, className, onclick) => make('button', { type: 'button', className, onclick }, label);

  // ---- The prediction -------------------------------------------------------------------------------------------------------------

  /** The words of the page's question: its text, its choices, and which of them is the answer, from 1. */
  function question() {
    if (!prediction) return null;
    const legend = prediction.querySelector('legend').cloneNode(true);
    legend.querySelector('.tag')?.remove();
    const choices = [...prediction.querySelectorAll('.choices label span')].map((choice) => choice.textContent);
    return { text: legend.textContent.trim(), choices, answer: Number(prediction.dataset.answer) };
  }

  /** What was chosen among the radio buttons in `where`, from 1. */
  function chosenIn(where) {
    const chosen = where?.querySelector('input[type="radio"]:checked');
    return chosen ? Number(chosen.value) : null;
  }

  /** Asks before the first run, unless the reader has chosen in the page already. Then runs. */
  function ask() {
    const asked = question();
    if (!asked || chosenIn(prediction)) {
      run(chosenIn(prediction));
      return;
    }
    const go = button('Run', 'run-button', () => run(chosenIn(form)));
    const skip = button('Skip the question', 'run-quiet', () => run(null));
    go.disabled = true;
    const choices = asked.choices.map((choice, at) => {
      const radio = make('input', { type: 'radio', name: 'run-prediction', value: String(at + 1) });
      radio.addEventListener('change', () => {
        go.disabled = false;
        // The same question stands in the page: it is answered there, too.
        const same = prediction.querySelector(`input[type="radio"][value="${at + 1}"]`);
        if (same) same.checked = true;
      });
      return make('li', {}, make('label', {}, radio, ' ', make('span', {}, choice)));
    });
    const legend = make('legend', {}, make('span', { className: 'tag' }, 'Predict first'), ` ${asked.text}`);
    const form = make('fieldset', { className: 'run-question' }, legend, make('ol', { className: 'choices' }, ...choices));
    panel.replaceChildren(form, make('p', { className: 'run-buttons' }, go, skip));
    form.querySelector('input').focus();
  }

  /** What became of the prediction, after a run that came to its end. */
  function answered(choice) {
    const asked = question();
    if (!asked) return null;
    const answer = asked.choices[asked.answer - 1];
    const because = prediction.querySelector('.answer p')?.cloneNode(true) ?? make('p');
    because.querySelector('strong')?.remove();
    const said = choice === asked.answer ? `You said: ${answer}. That is right.`
      : choice ? `You said: ${asked.choices[choice - 1]}. The answer is: ${answer}.`
        : `The answer is: ${answer}.`;
    const verdict = choice === asked.answer ? 'right' : choice ? 'wrong' : 'open';
    return make('p', { className: `run-answer ${verdict}` }, make('strong', {}, said), ` ${because.textContent.trim()}`);
  }

  // ---- A run ----------------------------------------------------------------------------------------------------------------------

  /** The lines of an answer of the server, as objects, when they come. */
  async function* words(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split('\n');
      rest = lines.pop();
      for (const line of lines) yield JSON.parse(line);
    }
  }

  /** Runs the lab and shows what comes. */
  async function run(choice) {
    const status = make('p', { className: 'run-status', role: 'status' }, 'asking …');
    const cancel = button('Cancel', 'run-quiet', () => {
      cancel.disabled = true;
      status.textContent = 'ending it …';
      fetch('/run/cancel', { method: 'POST' });
    });
    const stage = make('div', { className: 'run-stage' });
    panel.replaceChildren(make('div', { className: 'run-bar' }, cancel, status), stage);
    panel.dataset.state = 'running';
    cancel.focus();
    let end = null;
    try {
      const response = await fetch(`/run/${number}`, { method: 'POST' });
      if (!response.ok) {
        end = { sentence: (await response.text()).trim(), code: null, complete: false };
      } else {
        for await (const word of words(response)) {
          if (word.compiling) status.textContent = word.compiling;
          if (word.figure) {
            stage.innerHTML = word.figure;
            stage.querySelector('pre').setAttribute('role', 'log');
            status.textContent = 'running …';
          }
          if (word.record) stage.querySelector('pre').insertAdjacentHTML('beforeend', word.html);
          if (word.end) end = word.end;
        }
      }
    } catch (error) {
      end = null;
    }
    ended(end ?? { sentence: 'The server has gone: start it again with cargo book.', code: null, complete: false }, stage, choice);
  }

  /** Shows how a run ended, what it says about the prediction and the facts, and draws it. */
  function ended(end, stage, choice) {
    const code = end.code === null ? '' : ` Exit code ${end.code}.`;
    const status = make('p', { className: 'run-status', role: 'status' });
    const again = button('Run it again', 'run-button', () => run(choice));
    panel.querySelector('.run-bar').replaceChildren(again, status);
    status.textContent = end.sentence + code;
    panel.dataset.state = end.complete ? 'done' : end.cancelled ? 'cancelled' : 'failed';
    if (end.stderr) {
      stage.append(make('pre', { className: 'run-stderr', tabIndex: 0, role: 'region', ariaLabel: 'Errors' }, end.stderr));
    }
    const outcome = [];
    if (end.complete) outcome.push(answered(choice));
    if (end.facts) outcome.push(facts(end.facts));
    if (end.complete) outcome.push(redrawn(end.diagrams));
    stage.append(make('div', { className: 'run-outcome' }, ...outcome.filter((part) => part)));
    again.focus();
  }

  /** Whether the facts of the run are those of the book. */
  function facts({ count, different }) {
    if (different.length === 0) {
      return make('p', { className: 'run-facts equal' }, `Facts equal to the book’s: yes, all ${count}.`);
    }
    const row = ({ fact, book, here }) => make('li', {}, `${fact}: ${book ?? '(not stated)'} in the book, ${here ?? '(not stated)'} here`);
    return make('div', { className: 'run-facts different' },
      make('p', {}, `Facts equal to the book’s: no, ${different.length} of ${count} differ.`),
      make('ul', {}, ...different.map(row)));
  }

  /** Shows the run where the page shows the one that was recorded in Rust, each diagram its own steps, and offers the way back. */
  function redrawn(diagrams) {
    const figures = [...document.querySelectorAll('figure.diagram[data-language="rust"]')].filter(({ dataset }) => diagrams[dataset.steps]);
    if (figures.length === 0) return null;
    const parts = (figure) => [figure.querySelector('.drawing'), figure.querySelector('.words > ol')];
    for (const part of figures.flatMap(parts)) part.recorded ??= part.innerHTML;
    const note = make('span');
    const toggle = button('', 'run-quiet', () => show(!here));
    let here = false;
    function show(run) {
      here = run;
      note.textContent = run ? 'The diagrams of this page show this very run. ' : 'The diagrams of this page show the recorded run. ';
      toggle.textContent = run ? 'Show the recorded run' : 'Show this run';
      for (const figure of figures) {
        const { drawing, words } = diagrams[figure.dataset.steps];
        figure.dataset.run = run ? 'here' : 'recorded';
        const [picture, list] = parts(figure);
        picture.innerHTML = run ? drawing : picture.recorded;
        list.innerHTML = run ? words : list.recorded;
      }
    }
    show(true);
    return make('p', { className: 'run-diagram' }, note, toggle);
  }

  if (panel) {
    const hint = make('span', { className: 'run-hint' }, `runs lab ${number} on this machine`);
    panel.replaceChildren(make('p', { className: 'run-buttons' }, button('Run it here', 'run-button', ask), hint));
    panel.hidden = false;
    // A transcript needs more room than there is in the card.
    panel.closest('.lab-card')?.after(panel);
  }

  // ---- New pages ------------------------------------------------------------------------------------------------------------------

  // Listened to only while the page is in front: a browser has six connections for a server, and each page that listens keeps one.
  let changes = null;

  /** A run that is looked at is not taken away: the reader says when. */
  function offer() {
    if (panel.querySelector('.run-changed')) return;
    const reload = button('Load the page again', 'run-quiet', () => location.reload());
    panel.prepend(make('p', { className: 'run-buttons run-changed', role: 'status' }, make('span', { className: 'run-hint' }, 'The book was built again.'), reload));
  }

  function listen() {
    changes?.close();
    changes = null;
    if (document.visibilityState !== 'visible') return;
    changes = new EventSource('/changes');
    changes.onmessage = ({ data }) => {
      if (data === build) return;
      if (panel?.dataset.state) offer();
      else location.reload();
    };
  }
  document.addEventListener('visibilitychange', listen);
  listen();
})();
