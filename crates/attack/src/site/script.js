'use strict';
/* Lists: filters and pages over the rows that stand in the page. Nothing is fetched. */
document.querySelectorAll('[data-list]').forEach(function (list) {
  var size = 50, page = 0;
  var rows = Array.prototype.slice.call(list.querySelectorAll('tbody tr'));
  var controls = Array.prototype.slice.call(list.querySelectorAll('[data-filter]'));
  var count = list.querySelector('.count'), pager = list.querySelector('.pager');
  var back = pager.querySelector('[data-step="-1"]'), next = pager.querySelector('[data-step="1"]');
  rows.forEach(function (row) { row.words = row.textContent.toLowerCase(); });
  function fits(row) {
    return controls.every(function (control) {
      var value = control.value.toLowerCase().trim();
      if (!value) { return true; }
      if (control.dataset.filter === 'words') {
        return value.split(/\s+/).every(function (word) { return row.words.indexOf(word) >= 0; });
      }
      var there = row.getAttribute('data-' + control.dataset.filter) || '';
      return there.split('|').indexOf(value) >= 0;
    });
  }
  function show() {
    var found = rows.filter(fits), last = Math.max(0, Math.ceil(found.length / size) - 1);
    page = Math.min(Math.max(page, 0), last);
    rows.forEach(function (row) { row.hidden = true; });
    found.slice(page * size, page * size + size).forEach(function (row) { row.hidden = false; });
    count.textContent = found.length + ' of ' + rows.length + ' objects, page ' + (page + 1) + ' of ' + (last + 1);
    back.disabled = page === 0; next.disabled = page === last;
  }
  controls.forEach(function (control) {
    control.addEventListener('input', function () { page = 0; show(); });
  });
  pager.addEventListener('click', function (event) {
    var step = Number(event.target.dataset.step);
    if (step) { page += step; show(); }
  });
  pager.hidden = false; list.querySelector('.filters').hidden = false; show();
});
/* Graphs: arrow keys go to the nearest object in that direction, Enter opens it; references of the one in focus light up. */
document.querySelectorAll('.graph svg').forEach(function (graph) {
  var nodes = Array.prototype.slice.call(graph.querySelectorAll('.node'));
  var told = graph.parentNode.parentNode.querySelector('.told');
  var ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  function at(node) { return [Number(node.dataset.x), Number(node.dataset.y)]; }
  nodes.forEach(function (node) {
    node.addEventListener('keydown', function (event) {
      var way = ways[event.key];
      if (!way) { return; }
      event.preventDefault();
      var here = at(node), best = null, least = Infinity;
      nodes.forEach(function (other) {
        if (other === node || other.hasAttribute('hidden')) { return; }
        var there = at(other), x = there[0] - here[0], y = there[1] - here[1];
        var along = x * way[0] + y * way[1], across = Math.abs(x * way[1]) + Math.abs(y * way[0]);
        if (along <= 0) { return; }
        if (along + across * 2 < least) { least = along + across * 2; best = other; }
      });
      if (best) { best.focus(); }
    });
    function light(on) {
      graph.querySelectorAll('path').forEach(function (path) {
        var touches = path.dataset.from === node.dataset.n || path.dataset.to === node.dataset.n;
        path.classList.toggle('lit', on && touches);
      });
      if (on && told) { told.textContent = node.getAttribute('aria-label'); }
    }
    node.addEventListener('focus', function () { light(true); });
    node.addEventListener('blur', function () { light(false); });
  });
  var embedded = graph.parentNode.parentNode.querySelector('[data-embedded]');
  if (embedded) {
    embedded.parentNode.hidden = false;
    embedded.addEventListener('change', function () {
      graph.querySelectorAll('path.embedded').forEach(function (path) {
        if (embedded.checked) { path.removeAttribute('hidden'); } else { path.setAttribute('hidden', ''); }
      });
    });
  }
});
