package org.gradnorm4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * The documents say what is so: their Java compiles, their links lead somewhere. A block of Java is
 * a complete class, or statements, which are compiled as a method of {@link #FRAME}. Blocks marked
 * {@code java ui} need that module and are left out.
 */
class DocumentsTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Pattern JAVA = Pattern.compile("(?ms)^```java\\n(.*?)^```$");
  private static final Pattern TYPE =
      Pattern.compile("(?m)^(?:public )?(?:final )?(?:class|record) (\\w+)");
  private static final Pattern CODE = Pattern.compile("(?s)```.*?```|`[^`]*`");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
  private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");

  /** What the documents' statements take for granted. */
  private static final String FRAME =
      """
      import java.nio.file.Path;
      import java.util.*;
      import org.deeplearning4j.nn.conf.layers.*;
      import org.deeplearning4j.nn.graph.ComputationGraph;
      import org.deeplearning4j.parallelism.ParallelWrapper;
      import org.deeplearning4j.util.ModelSerializer;
      import org.gradnorm4j.balancer.*;
      import org.gradnorm4j.core.accelerate.*;
      import org.gradnorm4j.core.analysis.*;
      import org.gradnorm4j.core.loss.*;
      import org.gradnorm4j.core.parallel.*;
      import org.gradnorm4j.core.probe.*;
      import org.gradnorm4j.gradnorm.*;
      import org.gradnorm4j.history.*;
      import org.gradnorm4j.report.*;
      import org.gradnorm4j.strategies.*;
      import org.nd4j.linalg.dataset.api.MultiDataSet;
      import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
      import org.nd4j.linalg.learning.config.*;
      import org.nd4j.linalg.lossfunctions.impl.*;

      class Statements {
        ComputationGraph net;
        MultiDataSetIterator trainIterator;
        MultiDataSet batch;
        GradNorm gradNorm;
        LossBalancer balancer;

        void run() throws Exception {
      STATEMENTS
        }
      }
      """;

  @TempDir Path classes;

  @TestFactory
  Stream<DynamicTest> java_compiles() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (Path document : documents()) {
      String text = Files.readString(document);
      for (MatchResult block : JAVA.matcher(text).results().toList()) {
        String name = ROOT.relativize(document) + ":" + line(text, block.start());
        tests.add(DynamicTest.dynamicTest(name, () -> compile(block.group(1))));
      }
    }
    assertThat(tests).hasSizeGreaterThan(10);
    return tests.stream();
  }

  private void compile(String code) {
    Matcher type = TYPE.matcher(code);
    boolean complete = type.find();
    String name = complete ? type.group(1) : "Statements";
    String source = complete ? code : FRAME.replace("STATEMENTS", code);
    StringWriter messages = new StringWriter();
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    List<String> options =
        List.of("-proc:none", "-Xlint:deprecation", "-cp", classPath, "-d", classes.toString());
    boolean compiled =
        compiler
            .getTask(messages, null, null, options, null, List.of(new Source(name, source)))
            .call();
    assertThat(compiled).as("%s%n%s", messages, source).isTrue();
  }

  @Test
  void readme_isShort() throws IOException {
    assertThat(Files.readAllLines(ROOT.resolve("README.md"))).hasSizeLessThanOrEqualTo(150);
  }

  @TestFactory
  Stream<DynamicTest> links_leadSomewhere() throws IOException {
    return documents().stream()
        .map(
            document ->
                DynamicTest.dynamicTest(
                    ROOT.relativize(document).toString(), () -> checkLinks(document)));
  }

  @Test
  void indexOfDecisions_hasEveryTitle() throws IOException {
    Path folder = ROOT.resolve("docs/adr");
    List<String> entries = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(each -> !each.endsWith("README.md")).sorted().toList()) {
        String[] title = Files.readAllLines(file).get(0).substring(2).split("\\. ", 2);
        entries.add(
            String.format(
                Locale.ROOT, "| [%s](%s) | %s |", title[0], file.getFileName(), title[1]));
      }
    }
    assertThat(Files.readAllLines(folder.resolve("README.md"))).containsAll(entries);
  }

  private static void checkLinks(Path document) throws IOException {
    String prose = CODE.matcher(Files.readString(document)).replaceAll("");
    for (MatchResult link : LINK.matcher(prose).results().toList()) {
      String target = link.group(1);
      if (target.contains("://")) {
        continue;
      }
      String[] parts = target.split("#", 2);
      Path file = parts[0].isEmpty() ? document : document.resolveSibling(parts[0]);
      assertThat(file).as("%s in %s", target, document).exists();
      if (parts.length == 2) {
        assertThat(anchors(file)).as("%s in %s", target, document).contains(parts[1]);
      }
    }
  }

  /** As they are made of headings: lower case, no punctuation, hyphens for spaces. */
  private static List<String> anchors(Path file) throws IOException {
    return HEADING
        .matcher(Files.readString(file))
        .results()
        .map(heading -> heading.group(1).toLowerCase(Locale.ROOT))
        .map(heading -> heading.replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'))
        .toList();
  }

  private static List<Path> documents() throws IOException {
    List<Path> documents = new ArrayList<>();
    try (Stream<Path> top = Files.list(ROOT);
        Stream<Path> docs = Files.walk(ROOT.resolve("docs"))) {
      Stream.concat(top, docs)
          .filter(file -> file.getFileName().toString().endsWith(".md"))
          .sorted()
          .forEach(documents::add);
    }
    assertThat(documents).contains(ROOT.resolve("README.md"), ROOT.resolve("docs/tutorial.md"));
    return documents;
  }

  private static long line(String text, int position) {
    return text.substring(0, position).lines().count() + 1;
  }

  private static final class Source extends SimpleJavaFileObject {
    private final String code;

    Source(String name, String code) {
      super(URI.create("string:///" + name + ".java"), JavaFileObject.Kind.SOURCE);
      this.code = code;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return code;
    }
  }
}
