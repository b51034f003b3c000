/** The one-element references, one line per op: what the reference backend evaluates and a dispute settles by. @module */
export { argmaxSteps as argmax, argminSteps as argmin } from './reference/arg.ts';
export { avgPool2dSteps as avg_pool2d } from './reference/avg_pool2d.ts';
export { compareSteps as compare } from './reference/compare.ts';
export { concatSteps as concat } from './reference/concat.ts';
export { convTranspose2dSteps as conv_transpose2d } from './reference/conv_transpose2d.ts';
export { conv2dSteps as conv2d } from './reference/conv2d.ts';
export { cumsumSteps as cumsum } from './reference/cumsum.ts';
export { denseSteps as dense } from './reference/dense.ts';
export {
  depthToSpaceSteps as depth_to_space,
  spaceToDepthSteps as space_to_depth,
} from './reference/depth_to_space.ts';
export { divSteps as div } from './reference/div.ts';
export { expandSteps as expand } from './reference/expand.ts';
export { maxSteps as max, minSteps as min } from './reference/extremum.ts';
export { gatherSteps as gather } from './reference/gather.ts';
export { gruSteps as gru } from './reference/gru.ts';
export { linear2Steps as linear2 } from './reference/linear2.ts';
export { logSoftmaxSteps as log_softmax } from './reference/log_softmax.ts';
export { logicalSteps as logical } from './reference/logical.ts';
export { lstmSteps as lstm } from './reference/lstm.ts';
export { lut8Steps as lut8 } from './reference/lut8.ts';
export { lut16Steps as lut16 } from './reference/lut16.ts';
export { matmulSteps as matmul } from './reference/matmul.ts';
export { maxPool2dSteps as max_pool2d } from './reference/max_pool2d.ts';
export { mulSteps as mul } from './reference/mul.ts';
export { nmsSteps as nms } from './reference/nms.ts';
export {
  groupNormSteps as group_norm,
  layerNormSteps as layer_norm,
  rmsNormSteps as rms_norm,
} from './reference/norms.ts';
export { padSteps as pad } from './reference/pad.ts';
export { reduceMaxSteps as reduce_max, reduceMinSteps as reduce_min } from './reference/reduce_extremum.ts';
export { reduceMeanSteps as reduce_mean } from './reference/reduce_mean.ts';
export { reduceSumSteps as reduce_sum } from './reference/reduce_sum.ts';
export { rescaleSteps as rescale } from './reference/rescale.ts';
export { reshapeSteps as reshape } from './reference/reshape.ts';
export { resizeBilinearSteps as resize_bilinear, resizeNearestSteps as resize_nearest } from './reference/resize.ts';
export { ropeSteps as rope } from './reference/rope.ts';
export { sampleSteps as sample } from './reference/sample.ts';
export { sliceSteps as slice } from './reference/slice.ts';
export { softmaxSteps as softmax } from './reference/softmax.ts';
export { tileSteps as tile } from './reference/tile.ts';
export { topkSteps as topk } from './reference/topk.ts';
export { transposeSteps as transpose } from './reference/transpose.ts';
export { updateSteps as update } from './reference/update.ts';
export { whereSteps as where } from './reference/where.ts';
