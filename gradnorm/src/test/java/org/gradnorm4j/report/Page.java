package org.gradnorm4j.report;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.gradnorm4j.history.History;
import org.gradnorm4j.history.HistoryView;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** A report, to be asked for what is in it. */
final class Page {
  private final Document document;

  /** The page is XML but for its void elements. */
  Page(String html) throws Exception {
    String xml = html.replace("<!DOCTYPE html>", "").replaceAll("<(meta[^>]*)>", "<$1/>");
    document =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
  }

  static Page of(History history) throws Exception {
    return new Page(Report.of(history).toHtml());
  }

  /** What is drawn in one of the charts. */
  static List<ChartLine> lines(HistoryView history, String id) {
    return chart(history, id).lines();
  }

  static Chart chart(HistoryView history, String id) {
    return Chart.of(history).stream()
        .filter(chart -> chart.id().equals(id))
        .findFirst()
        .orElseThrow();
  }

  Element byId(String id) {
    return all(document.getElementsByTagName("*"))
        .filter(element -> element.getAttribute("id").equals(id))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no element " + id));
  }

  boolean has(String id) {
    return all(document.getElementsByTagName("*"))
        .anyMatch(element -> element.getAttribute("id").equals(id));
  }

  String text(String id) {
    return byId(id).getTextContent().strip();
  }

  int count(String tag) {
    return document.getElementsByTagName(tag).getLength();
  }

  /** The numbers of a quantity on the page, in its order. */
  double[] values(String quantity) {
    return all(document.getElementsByTagName("*"))
        .filter(element -> element.getAttribute("data-quantity").equals(quantity))
        .mapToDouble(element -> Double.parseDouble(element.getAttribute("data-value")))
        .toArray();
  }

  /** Lines of a chart with more points than that. */
  List<String> dataPaths(String chart, int points) {
    return all(byId(chart).getElementsByTagName("g"))
        .filter(group -> group.hasAttribute("clip-path"))
        .flatMap(group -> all(group.getElementsByTagName("path")))
        .map(path -> path.getAttribute("d"))
        .filter(d -> d.split("L").length > points)
        .toList();
  }

  private static Stream<Element> all(NodeList nodes) {
    return IntStream.range(0, nodes.getLength()).mapToObj(i -> (Element) nodes.item(i));
  }
}
