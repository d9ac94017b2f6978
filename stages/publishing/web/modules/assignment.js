// The assignment of rows to columns whose costs sum to the least. Kuhn, "The Hungarian method for the assignment
// problem", Naval Research Logistics Quarterly 1955, by shortest augmenting paths: each row in turn takes a column,
// and rows before it move to others where that costs less.

// The column of each row of a matrix; -1 of rows for which there is none, if there are more rows than columns.
export function assign(costs) {
  const rows = costs.length;
  const columns = rows ? costs[0].length : 0;
  if (rows > columns) {
    const turned = Array.from({ length: columns }, (_, column) => costs.map((row) => row[column]));
    const owners = assign(turned);
    return costs.map((_, row) => owners.indexOf(row));
  }
  const rowPrice = new Array(rows).fill(0);
  const columnPrice = new Array(columns).fill(0);
  const owner = new Array(columns).fill(-1);
  for (let added = 0; added < rows; added++) {
    const distance = new Array(columns).fill(Infinity);
    const before = new Array(columns).fill(-1); // the column from whose row the path comes
    const done = new Set();
    let [row, last, reached] = [added, -1, 0];
    do {
      let next = -1;
      for (let column = 0; column < columns; column++) {
        if (done.has(column)) continue;
        const length = reached + costs[row][column] - rowPrice[row] - columnPrice[column];
        if (length < distance[column]) [distance[column], before[column]] = [length, last];
        if (next < 0 || distance[column] < distance[next]) next = column;
      }
      [last, reached, row] = [next, distance[next], owner[next]];
      if (row >= 0) done.add(next);
    } while (row >= 0);
    rowPrice[added] += reached;
    for (const column of done) {
      rowPrice[owner[column]] += reached - distance[column];
      columnPrice[column] -= reached - distance[column];
    }
    for (let column = last; column >= 0; column = before[column]) {
      owner[column] = before[column] >= 0 ? owner[before[column]] : added;
    }
  }
  return costs.map((_, row) => owner.indexOf(row));
}
