package org.gradnorm4j;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which package may know which; docs/adr/0030-one-seam-for-all-strategies.md has the reasons. */
class ArchitectureTest {
  private static final String OURS = "org.gradnorm4j.";
  private static final String[] DL4J = {"org.nd4j..", "org.deeplearning4j.."};
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new DoNotIncludeTests())
          .importPackages("org.gradnorm4j");

  @Test
  void packages_haveNoCycles() {
    slices().matching("org.gradnorm4j.(**)").should().beFreeOfCycles().check(CLASSES);
  }

  /** The arrows: a package, and those of this module it may know beside itself. */
  @ParameterizedTest
  @CsvSource({
    "weighting, ''",
    "optimizer, weighting",
    "strategies, 'weighting optimizer'",
    "history, 'weighting persist'",
    "report, 'weighting persist history'",
    "persist, 'weighting optimizer'",
    "balancer, 'weighting optimizer persist history'",
    "gradnorm, 'weighting optimizer history balancer'",
  })
  void package_knowsOnly(String name, String others) {
    String[] known =
        Stream.concat(
                Stream.of(name), Stream.of(others.trim().split(" ")).filter(s -> !s.isEmpty()))
            .map(OURS::concat)
            .toArray(String[]::new);
    classes()
        .that()
        .resideInAPackage(OURS + name)
        .should()
        .onlyDependOnClassesThat(
            resideOutsideOfPackage("org.gradnorm4j..")
                .or(resideInAPackage("org.gradnorm4j.core.."))
                .or(resideInAnyPackage(known)))
        .check(CLASSES);
  }

  /** A strategy is a pure function on doubles. */
  @Test
  void strategies_seeNoTypeOfDeeplearning4j() {
    noClasses()
        .that()
        .resideInAnyPackage(OURS + "weighting", OURS + "strategies")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(DL4J)
        .check(CLASSES);
  }

  /** Only the front door of GradNorm sees networks and updaters. */
  @Test
  void ruleOfGradNorm_seesNoTypeOfDeeplearning4j() {
    noClasses()
        .that()
        .resideInAPackage(OURS + "gradnorm")
        .and()
        .doNotHaveSimpleName("GradNorm")
        .and()
        .doNotHaveSimpleName("GradNormBuilder")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(DL4J)
        .check(CLASSES);
  }

  @Test
  void nobodyOutsideOfCore_reachesIntoIt() {
    noClasses()
        .that()
        .resideOutsideOfPackage("org.gradnorm4j.core..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.gradnorm4j.core.internal..")
        .check(CLASSES);
  }
}
