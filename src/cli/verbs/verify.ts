import { EXIT } from '../errors.ts'
import { verb } from '../verb.ts'
import { toProblemLines, toVerifiedJson, toVerifiedLines } from '../verified-view.ts'

/** `regatta verify`: an image is what it says of itself. */
export const verify = verb<{ insecure: boolean }>({
  brief: 'Check every byte of an image, and show where it comes from',
  description:
    'Reads a version of this project (default: the latest), an image of the project by its digest, of a layout ' +
    '(oci:PATH or oci:PATH:NAME) or of a registry. Recomputes all digests and lengths, the archives in the layers and ' +
    'the rules for images, and compares the model with what its run left and the bill of materials with the files. ' +
    'What does not match is named, and the exit code is 1.',
  flags: {
    insecure: {
      kind: 'boolean',
      brief: 'Allow plain HTTP to hosts other than this one',
      default: false,
      withNegated: false,
    },
  },
  args: [{ brief: 'A version, a digest, oci:PATH[:NAME] or a reference', placeholder: 'image', optional: true }],
  async run(call, { insecure }, [image]) {
    const { verifyWished } = await import('../verifying.node.ts')
    const verified = await verifyWished(call, { image, insecure })
    call.out(call.json ? toVerifiedJson(verified) : toVerifiedLines(verified))
    if (verified.problems.length === 0) return EXIT.done
    call.err(toProblemLines(verified))
    return EXIT.failed
  },
})
