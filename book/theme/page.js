'use strict';

// What the pages do besides what mdBook's own scripts do. Without it the tabs stand one below the other, and nothing else is missing.

(() => {
  // Tabs: Rust and Node beside each other. Whoever prefers one of them sees it first everywhere.
  const CHOICE = 'forklore-tab';
  const stored = () => { try { return localStorage.getItem(CHOICE); } catch { return null; } };
  const store = (name) => { try { localStorage.setItem(CHOICE, name); } catch { /* then only this page knows it */ } };

  function choose(tabs, name) {
    for (const button of tabs.querySelectorAll('[role=tab]')) {
      const chosen = button.dataset.tab === name;
      button.setAttribute('aria-selected', String(chosen));
      button.tabIndex = chosen ? 0 : -1;
      document.getElementById(button.getAttribute('aria-controls')).hidden = !chosen;
    }
  }

  function chooseEverywhere(name, button) {
    const before = button.getBoundingClientRect().top;
    for (const tabs of document.querySelectorAll('.tabs.ready')) {
      if (tabs.querySelector(`[role=tab][data-tab="${name}"]`)) choose(tabs, name);
    }
    // What is above may have become longer or shorter: what was clicked stays where it was.
    window.scrollBy(0, button.getBoundingClientRect().top - before);
    store(name);
  }

  for (const tabs of document.querySelectorAll('.tabs')) {
    const panels = [...tabs.querySelectorAll(':scope > .tab')];
    const list = document.createElement('div');
    list.className = 'tab-list';
    list.setAttribute('role', 'tablist');
    list.setAttribute('aria-label', 'Languages');
    for (const panel of panels) {
      const button = document.createElement('button');
      button.type = 'button';
      button.id = `${panel.id}-tab`;
      button.dataset.tab = panel.dataset.tab;
      button.textContent = panel.dataset.tab;
      button.setAttribute('role', 'tab');
      button.setAttribute('aria-controls', panel.id);
      button.addEventListener('click', () => chooseEverywhere(panel.dataset.tab, button));
      panel.setAttribute('role', 'tabpanel');
      panel.setAttribute('aria-labelledby', button.id);
      list.append(button);
    }
    list.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      const buttons = [...list.children];
      const next = buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length];
      next.focus();
      next.click();
      event.preventDefault();
      event.stopPropagation(); // mdBook would turn the page
    });
    tabs.prepend(list);
    tabs.classList.add('ready');
    const names = panels.map((panel) => panel.dataset.tab);
    choose(tabs, names.includes(stored()) ? stored() : names[0]);
  }

  // mdBook's button for the table of contents is a label, which no keyboard reaches: a real button takes its place.
  const label = document.getElementById('mdbook-sidebar-toggle');
  const checkbox = document.getElementById('mdbook-sidebar-toggle-anchor');
  if (label && checkbox) {
    const button = document.createElement('button');
    button.type = 'button';
    button.id = label.id;
    button.className = label.className;
    button.title = 'Table of contents';
    button.setAttribute('aria-label', button.title);
    button.setAttribute('aria-controls', 'mdbook-sidebar');
    button.append(...label.childNodes);
    const tell = () => button.setAttribute('aria-expanded', String(checkbox.checked));
    tell();
    checkbox.addEventListener('change', tell);
    button.addEventListener('click', () => {
      label.dispatchEvent(new Event('click')); // mdBook's listener brings the sidebar back into the layout
      checkbox.click();
    });
    label.replaceWith(button);
  }

  // An arrow key chooses among the answers of a question, or scrolls what is wider than the page, and does not turn the page.
  document.addEventListener('keydown', (event) => {
    if (!event.key.startsWith('Arrow')) return;
    if (event.target.matches?.('input[type=radio]')) event.stopPropagation();
    const area = event.target.closest?.('[tabindex="0"]');
    if (area && area.scrollWidth > area.clientWidth) event.stopPropagation();
  }, true);

  // Wide tables scroll inside themselves; a keyboard must be able to reach them.
  for (const area of document.querySelectorAll('.table-wrapper, .content pre, .drawing')) {
    if (!area.hasAttribute('tabindex') && area.scrollWidth > area.clientWidth) area.tabIndex = 0;
  }

  // A link to a line inside a fold or a tab opens it.
  function unfold() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let fold = target.closest('details'); fold; fold = fold.parentElement.closest('details')) fold.open = true;
    const panel = target.closest('.tab');
    if (panel) choose(panel.closest('.tabs'), panel.dataset.tab);
    target.scrollIntoView({ block: 'center' });
  }
  window.addEventListener('hashchange', unfold);
  if (/^#(node-)?(line|fact|step)-/.test(location.hash)) unfold();

  // On paper every fold is open, and afterwards as it was.
  let opened = [];
  window.addEventListener('beforeprint', () => {
    opened = [...document.querySelectorAll('details:not([open])')];
    for (const fold of opened) fold.open = true;
  });
  window.addEventListener('afterprint', () => {
    for (const fold of opened) fold.open = false;
    opened = [];
  });
})();
