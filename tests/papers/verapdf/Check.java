import java.io.FileInputStream;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Says of each file which PDF/A it claims to be, and whether it is. */
public class Check {
    public static void main(String[] files) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        for (String file : files) {
            try (PDFAParser parser = Foundries.defaultInstance()
                    .createParser(new FileInputStream(file), PDFAFlavour.NO_FLAVOUR)) {
                PDFAFlavour claimed = parser.getFlavour();
                ValidationResult result = Foundries.defaultInstance()
                        .createValidator(claimed, false).validate(parser);
                System.out.println(claimed + " " + result.isCompliant());
                for (TestAssertion one : result.getTestAssertions()) {
                    System.out.println(one.getRuleId().getClause() + " " + one.getMessage());
                }
            }
        }
    }
}
