package org.gradnorm4j.persist;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** State files, damaged in ways that a disk, an editor or an attacker would. */
public final class Mutations {
  private Mutations() {}

  /** Another file than the whole one. */
  public static byte[] damaged(byte[] whole, Random random) {
    byte[] damaged = whole;
    while (Arrays.equals(damaged, whole)) {
      damaged = mutate(whole, random);
    }
    return damaged;
  }

  /** With the checksum put right, so that only the reader stands in the way. */
  public static byte[] resealed(byte[] file) {
    return resealed(new String(file, StandardCharsets.UTF_8));
  }

  /** As above. */
  public static byte[] resealed(String text) {
    int end = text.lastIndexOf(",\n  \"sha256\"");
    return end < 0
        ? text.getBytes(StandardCharsets.UTF_8)
        : StateSeal.close(text.substring(0, end));
  }

  private static byte[] mutate(byte[] whole, Random random) {
    String text = new String(whole, StandardCharsets.UTF_8);
    List<String> lines = new ArrayList<>(text.lines().toList());
    int line = random.nextInt(lines.size());
    switch (random.nextInt(10)) {
      case 0 -> {
        byte[] flipped = whole.clone();
        for (int flips = 1 + random.nextInt(8); flips > 0; flips--) {
          flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
        }
        return flipped;
      }
      case 1 -> {
        return Arrays.copyOf(whole, random.nextInt(whole.length));
      }
      case 2 -> Collections.swap(lines, line, random.nextInt(lines.size()));
      case 3 -> lines.remove(line);
      case 4 -> lines.add(random.nextInt(lines.size()), lines.get(line)); // a key twice
      case 5 -> lines.set(line, withNumber(lines.get(line), number(random)));
      case 6 -> lines.set(line, lines.get(line) + deep(random));
      case 7 -> lines.set(line, lines.get(line).replaceAll("\".*?\"", "\"" + junk(random) + "\""));
      case 8 -> lines.set(line, withNumber(lines.get(line), "[" + number(random) + "]"));
      default -> lines.set(line, lines.get(line) + junk(random));
    }
    return (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private static String withNumber(String line, String number) {
    return line.replaceAll("-?[0-9][0-9.E-]*(?=,?$)", number);
  }

  private static String number(Random random) {
    return switch (random.nextInt(8)) {
      case 0 -> "1e999";
      case 1 -> "-1e999";
      case 2 -> "9".repeat(size(random));
      case 3 -> "NaN";
      case 4 -> "\"Infinity\"";
      case 5 -> "-" + random.nextInt(10);
      case 6 -> Double.toString(random.nextDouble());
      default -> Integer.toString(random.nextInt());
    };
  }

  private static String deep(Random random) {
    String open = random.nextBoolean() ? "[" : "{\"a\":";
    return open.repeat(size(random));
  }

  /** Mostly small, sometimes larger than a state file may be. */
  private static int size(Random random) {
    return 1 + random.nextInt(random.nextInt(100) == 0 ? 5_000_000 : 400);
  }

  private static String junk(Random random) {
    byte[] junk = new byte[size(random)];
    random.nextBytes(junk);
    return new String(junk, StandardCharsets.ISO_8859_1).replaceAll("[$\\\\]", "x");
  }
}
