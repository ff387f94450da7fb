package org.gradnorm4j.core;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which package of core may know which; docs/adr/0029-packages-of-core.md has the reasons. */
class ArchitectureTest {
  private static final String CORE = "org.gradnorm4j.core";
  private static final JavaClasses CLASSES =
      new ClassFileImporter().withImportOption(new DoNotIncludeTests()).importPackages(CORE);

  @Test
  void packages_haveNoCycles() {
    slices().matching("org.gradnorm4j.(**)").should().beFreeOfCycles().check(CLASSES);
  }

  /** The arrows: a package, and those of ours it may know beside itself. */
  @ParameterizedTest
  @CsvSource({
    "'', ''",
    ".accelerate, ''",
    ".internal.kernel, ''",
    ".internal.loss, .internal.kernel",
    ".loss, .internal.loss",
    ".internal.dl4j, '.internal.kernel .internal.loss .loss'",
    ".probe, '.internal.kernel .internal.dl4j'",
    ".parallel, '.internal.dl4j'",
    ".analysis, '.internal.kernel .internal.loss .loss .internal.dl4j'",
  })
  void package_knowsOnly(String name, String others) {
    String[] known =
        Stream.concat(Stream.of("", name), Stream.of(others.trim().split(" ")))
            .map(CORE::concat)
            .toArray(String[]::new);
    classes()
        .that()
        .resideInAPackage(CORE + name)
        .should()
        .onlyDependOnClassesThat(
            resideOutsideOfPackage("org.gradnorm4j..").or(resideInAnyPackage(known)))
        .check(CLASSES);
  }

  @Test
  void values_dependOnNothingButJava() {
    classes()
        .that()
        .resideInAPackage(CORE)
        .should()
        .onlyDependOnClassesThat(resideInAnyPackage("java..", CORE))
        .check(CLASSES);
  }

  @Test
  void core_knowsNoStrategy() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "org.gradnorm4j.weighting..",
            "org.gradnorm4j.balancer..",
            "org.gradnorm4j.gradnorm..",
            "org.gradnorm4j.strategies..",
            "org.gradnorm4j.history..",
            "org.gradnorm4j.persist..",
            "org.gradnorm4j.report..")
        .check(CLASSES);
  }

  /** A user who never writes the name of an internal package never holds an object of one. */
  @Test
  void signatures_showNothingInternal() {
    List<String> shown =
        CLASSES.stream()
            .filter(type -> !isInternal(type) && isOpen(type))
            .flatMap(
                type ->
                    Stream.concat(
                        inherited(type)
                            .filter(ArchitectureTest::isInternal)
                            .map(JavaClass::getName),
                        type.getMembers().stream()
                            .filter(ArchitectureTest::isOpen)
                            .filter(member -> types(member).anyMatch(ArchitectureTest::isInternal))
                            .map(JavaMember::getFullName)))
            .toList();
    assertThat(shown).isEmpty();
    assertThat(CLASSES.stream().filter(ArchitectureTest::isInternal)).isNotEmpty();
  }

  private static Stream<JavaClass> inherited(JavaClass type) {
    return Stream.concat(
        type.getAllRawSuperclasses().stream(), type.getAllRawInterfaces().stream());
  }

  /** With type arguments. */
  private static Stream<JavaClass> types(JavaMember member) {
    Stream<JavaType> parameters =
        member instanceof JavaCodeUnit unit ? unit.getParameterTypes().stream() : Stream.of();
    Stream<JavaType> result =
        member instanceof JavaCodeUnit unit
            ? Stream.of(unit.getReturnType())
            : Stream.of(((JavaField) member).getType());
    return Stream.concat(parameters, result)
        .map(JavaType::getAllInvolvedRawTypes)
        .flatMap(Set::stream);
  }

  private static boolean isInternal(JavaClass type) {
    return type.getPackageName().startsWith(CORE + ".internal");
  }

  private static boolean isOpen(JavaMember member) {
    return isOpen(member.getModifiers());
  }

  /** A nested class is as open as what it is in. */
  private static boolean isOpen(JavaClass type) {
    Optional<JavaClass> outer = type.getEnclosingClass();
    return isOpen(type.getModifiers()) && (outer.isEmpty() || isOpen(outer.get()));
  }

  private static boolean isOpen(Set<JavaModifier> modifiers) {
    return modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED);
  }
}
