package org.gradnorm4j.history;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Rows of as many numbers each, in chunks that are filled once and never copied: growing needs no
 * second copy, and a {@link Snapshot} of what is there can be read while rows are added and
 * removed.
 */
final class RowList {
  private static final int CHUNK_BITS = 8;
  private static final int CHUNK = 1 << CHUNK_BITS;

  /** Flag of a task: the minibatch had labels of it. */
  static final byte PRESENT = 1;

  /** Flag of a task, the same of all tasks: the weights were left alone. */
  static final byte SKIPPED = 2;

  private record Chunk(int[] iterations, int[] epochs, double[] cells, byte[] flags) {}

  private final int width;
  private final int tasks;
  private final Deque<Chunk> chunks = new ArrayDeque<>();
  private int start;
  private int size;

  RowList(int width, int tasks) {
    this.width = width;
    this.tasks = tasks;
  }

  /** Adds a row; the arrays are copied. */
  void add(int iteration, int epoch, double[] cells, byte[] flags) {
    int at = (start + size) & (CHUNK - 1);
    if (at == 0) {
      chunks.add(
          new Chunk(
              new int[CHUNK], new int[CHUNK], new double[CHUNK * width], new byte[CHUNK * tasks]));
    }
    Chunk chunk = chunks.getLast();
    chunk.iterations[at] = iteration;
    chunk.epochs[at] = epoch;
    System.arraycopy(cells, 0, chunk.cells, at * width, width);
    System.arraycopy(flags, 0, chunk.flags, at * tasks, tasks);
    size++;
  }

  void removeFirst(int rows) {
    start += rows;
    size -= rows;
    while (start >= CHUNK) {
      chunks.removeFirst();
      start -= CHUNK;
    }
  }

  int size() {
    return size;
  }

  Snapshot snapshot() {
    return new Snapshot(chunks.toArray(Chunk[]::new), start, size, width, tasks);
  }

  /** The rows of a moment. */
  record Snapshot(Chunk[] chunks, int start, int size, int width, int tasks) {
    int iteration(int row) {
      return chunk(row).iterations[at(row)];
    }

    int epoch(int row) {
      return chunk(row).epochs[at(row)];
    }

    double cell(int row, int place) {
      return chunk(row).cells[at(row) * width + place];
    }

    byte flags(int row, int task) {
      return chunk(row).flags[at(row) * tasks + task];
    }

    private Chunk chunk(int row) {
      return chunks[(start + row) >> CHUNK_BITS];
    }

    private int at(int row) {
      return (start + row) & (CHUNK - 1);
    }
  }
}
