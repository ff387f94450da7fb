package org.gradnorm4j.examples;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Which columns of a table are learned, and which are left out; all others are inputs.
 *
 * @param targets in the order of the tasks
 * @param ignored neither input nor target
 * @param kinds what columns are, of those that are not to be as their cells suggest: of an input,
 *     classification means text
 */
record TableColumns(Set<String> targets, Set<String> ignored, Map<String, TaskKind> kinds) {
  private static final int LISTED = 20;

  /** The columns in use of those of a header: inputs, then targets. */
  List<String> names(List<String> header, Path file) throws CsvException {
    checkKnown("--targets", targets, header, file);
    checkKnown("--ignore", ignored, header, file);
    checkKnown("--text", kinds.keySet(), header, file);
    for (String target : targets) {
      if (ignored.contains(target)) {
        throw new CsvException(
            file, 1, target, "it is in --targets and in --ignore. Take it out of one of them");
      }
    }
    Set<String> names = new LinkedHashSet<>(header);
    names.removeAll(ignored);
    names.removeAll(targets);
    if (names.isEmpty()) {
      throw new CsvException(
          file, 1, "no column is left as an input. Take one out of --targets or --ignore");
    }
    names.addAll(targets);
    return List.copyOf(names);
  }

  private static void checkKnown(String option, Set<String> names, List<String> header, Path file)
      throws CsvException {
    for (String name : names) {
      if (!header.contains(name)) {
        List<String> listed = new ArrayList<>(header.subList(0, Math.min(LISTED, header.size())));
        String more =
            header.size() > LISTED
                ? String.format(Locale.ROOT, " and %d more", header.size() - LISTED)
                : "";
        throw new CsvException(
            file,
            1,
            name,
            String.format(
                Locale.ROOT,
                "there is no such column. Correct %s: the columns are %s%s",
                option,
                listed,
                more));
      }
    }
  }
}
